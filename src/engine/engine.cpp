#include "engine/engine.h"

#include <cerrno>
#include <charconv>
#include <cstring>
#include <fcntl.h>
#include <map>
#include <sys/socket.h>
#include <unistd.h>

#include <fmt/format.h>

#include "async/event.h"
#include "async/scope.h"
#include "engine/detail/child_session.h"
#include "engine/detail/host_process.h"

namespace trawl::engine {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr auto kFirstRestart = 100ms;
constexpr auto kSlowestRestart = 30s;
constexpr auto kStableAfter = 60s;
constexpr auto kStartOfChild = 10s;
constexpr auto kEndOfHost = 5s;

Error wrong_answer(const ChildEvent&) {
  return {Errc::internal, "the engine child answered another command", "engine_error"};
}

// "http://name:word@127.0.0.1:4000" -> 4000; 0 when there is none.
int proxy_port(std::string_view proxy) {
  const std::size_t colon = proxy.rfind(':');
  int port = 0;
  if (colon != proxy.npos) std::from_chars(proxy.data() + colon + 1, proxy.data() + proxy.size(), port);
  return port;
}

class ForkedChild final : public Child {
 public:
  explicit ForkedChild(std::shared_ptr<ChildSession> session) : session_(std::move(session)) {}
  ~ForkedChild() override { session_->abandon(); }

  Task<Result<media::Plan>> resolve(std::chrono::seconds limit) override {
    auto answer = co_await session_->stage({{"command", "resolve"}}, limit);
    if (!answer) co_return fail(answer.error());
    if (auto* resolved = std::get_if<Resolved>(&*answer)) co_return std::move(resolved->plan);
    co_return fail(wrong_answer(*answer));
  }

  Task<Result<media::Listed>> list(int most, std::chrono::seconds limit) override {
    auto answer = co_await session_->stage({{"command", "list"}, {"most", most}}, limit);
    if (!answer) co_return fail(answer.error());
    if (auto* listed = std::get_if<media::Listed>(&*answer)) co_return std::move(*listed);
    co_return fail(wrong_answer(*answer));
  }

  Task<Result<void>> transfer(std::chrono::seconds limit, std::chrono::seconds quiet_limit,
                              Keep keep) override {
    const json::object command{{"command", "transfer"}, {"native", static_cast<bool>(keep)}};
    const auto answer = co_await session_->stage(command, limit, quiet_limit, std::move(keep));
    if (!answer) co_return fail(answer.error());
    if (std::holds_alternative<Transferred>(*answer)) co_return Result<void>{};
    co_return fail(wrong_answer(*answer));
  }

  Task<Result<std::vector<media::Produced>>> finish(std::chrono::seconds limit) override {
    auto answer = co_await session_->stage({{"command", "finish"}}, limit);
    if (!answer) co_return fail(answer.error());
    co_await session_->ended();  // Or it could still change the files that it says are ready.
    if (auto* finished = std::get_if<Finished>(&*answer)) co_return std::move(finished->files);
    co_return fail(wrong_answer(*answer));
  }

  void wind_up() override { session_->wind_up(); }
  void terminate() override {
    session_->terminate({Errc::cancelled, "the download was cancelled", "cancelled"});
  }

  int pid() const override { return session_->pid(); }

 private:
  std::shared_ptr<ChildSession> session_;
};

class HostedEngine final : public Engine {
 public:
  HostedEngine(asio::any_io_executor executor, EngineOptions options)
      : executor_(executor), options_(std::move(options)), changed_(executor), scope_(executor) {}

  Task<Result<void>> start() override;
  Task<void> stop() override;
  bool healthy() const override { return ready_; }
  Versions versions() const override { return ready_with_.versions; }
  Sandbox sandbox() const override { return ready_with_.sandbox; }
  Task<Result<std::unique_ptr<Child>>> open(Request request, Listener listener,
                                            std::optional<media::Plan> plan, bool transferred) override;

 private:
  Task<Result<std::unique_ptr<Child>>> open_once(const Request& request, Listener listener,
                                                 json::object begin);
  // Starts a host and waits until it is warm; ready_ says that it worked.
  Task<Result<void>> launch();
  Task<Result<Ready>> wait_ready(std::shared_ptr<HostProcess> host);
  // Handles the host's reports until it is gone or breaks the protocol.
  Task<void> listen(std::shared_ptr<HostProcess> host);
  // Ends the host and all its children, and returns when the process is gone.
  Task<void> bury(Error why);
  Task<void> supervise();
  Task<void> read_host_output(std::shared_ptr<HostProcess> host);
  Task<Result<void>> wait_for_host();
  void handle(const HostEvent& event);
  Result<std::shared_ptr<ChildSession>> fork_child(const Request& request, Listener listener,
                                                   json::object begin);

  asio::any_io_executor executor_;
  EngineOptions options_;
  Ready ready_with_;
  std::shared_ptr<HostProcess> host_;
  std::map<std::int64_t, std::shared_ptr<ChildSession>> children_;
  std::int64_t next_child_ = 1;
  bool ready_ = false;
  bool stopping_ = false;
  bool killed_ = false;                // The last host to be started was ended by a signal.
  std::optional<Error> launch_error_;  // Set while the last attempt to start failed.
  Event changed_;
  Scope scope_;
};

Task<Result<void>> HostedEngine::start() {
  // One that ends by itself is an installation to be mended; one that was killed may be started again.
  const auto deadline = steady_clock::now() + options_.start_timeout;
  while (true) {
    const auto launched = co_await launch();
    if (launched) break;
    if (!killed_ || stopping_ || steady_clock::now() >= deadline) co_return fail(launched.error());
    log_error("the engine host was killed while it was starting and is started again",
              {{"error", launched.error().message}});
    co_await sleep_for(kFirstRestart);
  }
  scope_.spawn("engine supervisor", supervise());
  co_return Result<void>{};
}

Task<Result<void>> HostedEngine::launch() {
  auto spawned = HostProcess::spawn(executor_, options_);
  if (!spawned) co_return fail(*(launch_error_ = spawned.error()));
  host_ = std::move(*spawned);
  scope_.spawn("engine host output", read_host_output(host_));
  auto ready = co_await wait_ready(host_);
  if (stopping_) co_return fail(Errc::cancelled, "the engine was stopped", "cancelled");
  if (!ready) {
    const auto host = host_;
    co_await bury(ready.error());
    killed_ = host && host->killed();
    co_return fail(*(launch_error_ = ready.error()));
  }
  ready_with_ = std::move(*ready);
  launch_error_.reset();
  ready_ = true;
  log_info("engine host ready", {{"pid", host_->pid()},
                                 {"ytdlp", ready_with_.versions.ytdlp},
                                 {"ffmpeg", ready_with_.versions.ffmpeg},
                                 {"sandbox", ready_with_.sandbox.tier}});
  changed_.notify_all();
  co_return Result<void>{};
}

Task<Result<Ready>> HostedEngine::wait_ready(std::shared_ptr<HostProcess> host) {
  const auto text = co_await host->receive(steady_clock::now() + options_.start_timeout);
  if (!text) {
    co_await host->ended(500ms);  // Its last words may still be on their way.
    std::string said;
    for (const auto& line : host->tail().last_lines(3)) said += "; " + line;
    co_return fail(Errc::unavailable, "the engine host did not start: " + text.error().message + said,
                   "engine_unavailable");
  }
  const auto event = decode_host_event(*text);
  if (!event) co_return fail(event.error());
  if (const auto* ready = std::get_if<Ready>(&*event)) co_return *ready;
  const auto* unusable = std::get_if<Unusable>(&*event);
  co_return fail(Errc::unavailable,
                 unusable ? unusable->message : "the engine host did not say that it is ready",
                 "engine_unavailable");
}

Task<void> HostedEngine::read_host_output(std::shared_ptr<HostProcess> host) {
  LineBudget budget;
  co_await read_lines(host->output(), host->tail(), [&budget](std::string line) {
    if (budget.allow(steady_clock::now())) log_warn("engine host", {{"output", line}});
  });
}

Task<void> HostedEngine::supervise() {
  std::chrono::milliseconds delay = kFirstRestart;
  while (!stopping_) {
    const auto since = steady_clock::now();
    if (ready_) {
      co_await listen(host_);
      if (stopping_) co_return;
      log_error("the engine host ended and is started again", {{"children", children_.size()}});
      if (options_.on_host_lost) options_.on_host_lost();
      co_await bury({Errc::unavailable, "the engine host died", "engine_crashed"});
    }
    if (steady_clock::now() - since > kStableAfter) delay = kFirstRestart;
    co_await sleep_for(delay);
    delay = std::min<std::chrono::milliseconds>(delay * 2, kSlowestRestart);
    if (const auto launched = co_await launch(); !launched) {
      log_error("the engine host does not start", {{"error", launched.error().message}});
      changed_.notify_all();
    }
  }
}

Task<void> HostedEngine::listen(std::shared_ptr<HostProcess> host) {
  for (;;) {
    const auto text = co_await host->receive(SteadyTime::max());
    if (!text) co_return;
    const auto event = decode_host_event(*text);
    if (!event) {
      log_error("the engine host broke its protocol", {{"error", event.error().message}});
      co_return;
    }
    handle(*event);
  }
}

void HostedEngine::handle(const HostEvent& event) {
  const auto child = [this](std::int64_t id) -> std::shared_ptr<ChildSession> {
    const auto found = children_.find(id);
    return found == children_.end() ? nullptr : found->second;
  };
  if (const auto* started = std::get_if<Started>(&event)) {
    if (const auto session = child(started->child)) session->on_started(started->pid);
  } else if (const auto* refused = std::get_if<NotStarted>(&event)) {
    if (const auto session = child(refused->child)) session->on_not_started(refused->message);
    children_.erase(refused->child);
  } else if (const auto* exited = std::get_if<Exited>(&event)) {
    if (const auto session = child(exited->child)) session->on_exited(exited->signal, exited->status);
    children_.erase(exited->child);
  }
}

Task<void> HostedEngine::bury(Error why) {
  ready_ = false;
  for (const auto& [id, session] : children_) session->on_host_lost(why);
  children_.clear();
  const auto host = std::exchange(host_, nullptr);
  if (!host) co_return;
  host->close_control();
  if (co_await host->ended(kEndOfHost)) co_return;
  host->kill();
  co_await host->ended(kEndOfHost);
}

Task<void> HostedEngine::stop() {
  stopping_ = true;
  changed_.notify_all();
  co_await bury({Errc::cancelled, "the engine was stopped", "cancelled"});
  co_await scope_.close();
}

Task<Result<void>> HostedEngine::wait_for_host() {
  const auto deadline = steady_clock::now() + options_.start_timeout;
  while (!ready_ && !stopping_ && !launch_error_ && steady_clock::now() < deadline) {
    co_await changed_.wait_for(deadline - steady_clock::now());
  }
  if (ready_) co_return Result<void>{};
  if (stopping_) co_return fail(Errc::cancelled, "the engine was stopped", "cancelled");
  if (launch_error_) co_return fail(*launch_error_);
  co_return fail(Errc::unavailable, "the engine host is not ready", "engine_unavailable");
}

Result<std::shared_ptr<ChildSession>> HostedEngine::fork_child(const Request& request, Listener listener,
                                                               json::object begin) {
  const auto failed = [](std::string_view what) {
    return fail(Errc::unavailable, fmt::format("{}: {}", what, std::strerror(errno)), "engine_unavailable");
  };
  std::array<int, 2> ends{}, pipe{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends.data()) != 0)
    return failed("cannot make a socket pair");
  Fd channel(ends[0]), channel_of_child(ends[1]);
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return failed("cannot make a pipe");
  Fd output(pipe[0]), output_of_child(pipe[1]);
  Fd folder(::open(request.work_dir.c_str(), O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
  if (folder.get() < 0) return failed("cannot use the work folder");

  const std::int64_t id = next_child_++;
  const json::object order{{"child", id}, {"proxy_port", proxy_port(request.proxy)}};
  const auto sent = host_->send(json::serialize(order), channel_of_child, output_of_child, folder);
  if (!sent) return fail(sent.error());
  auto session = std::make_shared<ChildSession>(
      scope_,
      asio::local::stream_protocol::socket(executor_, asio::local::stream_protocol(), channel.release()),
      asio::posix::stream_descriptor(executor_, output.release()), std::move(folder), std::move(listener));
  children_.emplace(id, session);
  session->run(std::move(begin));
  return session;
}

Task<Result<std::unique_ptr<Child>>> HostedEngine::open(Request request, Listener listener,
                                                        std::optional<media::Plan> plan, bool transferred) {
  const json::object begin{
      {"request", encode(request)}, {"plan", encode(plan)}, {"transferred", transferred}};
  // The host may have died unnoticed; nothing has been done then, and the next one can do it.
  auto child = co_await open_once(request, listener, begin);
  if (!child && child.error().reason == "engine_crashed")
    child = co_await open_once(request, listener, begin);
  co_return child;
}

Task<Result<std::unique_ptr<Child>>> HostedEngine::open_once(const Request& request, Listener listener,
                                                             json::object begin) {
  const auto available = co_await wait_for_host();
  if (!available) co_return fail(available.error());
  const auto session = fork_child(request, std::move(listener), std::move(begin));
  if (!session) co_return fail(session.error());
  auto child =
      std::make_unique<ForkedChild>(*session);  // From here on a cancelled wait takes the child with it.
  const auto asked = steady_clock::now();
  const auto started = co_await (*session)->wait_started(asked + kStartOfChild);
  if (started) {
    if (options_.on_child_started) options_.on_child_started(steady_clock::now() - asked);
    co_return child;
  }
  if (!(*session)->exited() && host_) {  // A host that does not fork in that time hangs.
    ready_ = false;
    host_->kill();
  }
  co_return fail(started.error());
}

}  // namespace

std::unique_ptr<Engine> make_engine(asio::any_io_executor executor, EngineOptions options) {
  return std::make_unique<HostedEngine>(std::move(executor), std::move(options));
}

}  // namespace trawl::engine
