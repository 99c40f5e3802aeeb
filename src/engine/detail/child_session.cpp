#include "engine/detail/child_session.h"

#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/endian/conversion.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace trawl::engine {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::chrono::seconds kKillDelay = 5s;
constexpr std::chrono::seconds kExitReport =
    2s;  // Between the end of a child's channel and the host's report of its end.
constexpr std::size_t kLastWords = 10;

std::string frame(const json::object& message) {
  const std::string body = json::serialize(message);
  std::string framed(4, '\0');
  boost::endian::store_big_u32(reinterpret_cast<unsigned char*>(framed.data()),
                               static_cast<std::uint32_t>(body.size()));
  return framed + body;
}

// What became of a Keep; neither when it was cancelled.
struct Kept {
  std::optional<Result<void>> result;
  std::exception_ptr failure;
};

// Ends without an exception unless it is cancelled, so that whoever waits for it or something else is woken.
Task<void> run_keep(const Keep& keep, std::vector<media::Part> parts, Kept& out) {
  try {
    out.result = co_await keep(std::move(parts));
  } catch (...) {
    out.failure = std::current_exception();
  }
}

// A child in a sandbox has a user of its own, who could not change the file we brought.
void give_to_owner_of(int folder, const std::string& name) {
  struct stat owner{}, info{};
  if (::fstat(folder, &owner) != 0 || owner.st_uid == ::geteuid()) return;
  const Fd file(::openat(folder, name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC));
  if (file.get() < 0 || ::fstat(file.get(), &info) != 0 || !S_ISREG(info.st_mode) || info.st_nlink != 1)
    return;
  if (::fchown(file.get(), owner.st_uid, owner.st_gid) != 0)
    log_warn("cannot give a file to the child", {{"file", name}, {"error", std::strerror(errno)}});
}

std::string how_it_ended(bool exited, int signal, int status) {
  if (!exited) return "the engine child closed its channel";
  if (signal == SIGKILL) return "the engine child was killed (out of memory?)";
  if (signal != 0) return fmt::format("the engine child died of signal {} ({})", signal, strsignal(signal));
  return fmt::format("the engine child ended unexpectedly with status {}", status);
}

}  // namespace

ChildSession::ChildSession(Scope& scope, asio::local::stream_protocol::socket channel,
                           asio::posix::stream_descriptor output, Fd folder, Listener listener)
    : scope_(scope),
      channel_(std::move(channel)),
      output_(std::move(output)),
      folder_(std::move(folder)),
      listener_(std::move(listener)),
      changed_(channel_.get_executor()) {}

void ChildSession::run(json::object begin) {
  outbox_.push_back(frame(begin));
  scope_.spawn("engine child reader", read_channel());
  scope_.spawn("engine child writer", write_channel());
  scope_.spawn("engine child output", read_output());
}

void ChildSession::on_started(int pid) {
  pid_ = pid;
  if (abandoned_) kill_group(SIGKILL);
  changed_.notify_all();
}

void ChildSession::on_not_started(std::string message) {
  exited_ = true;
  fail_with({Errc::unavailable, "the engine host cannot fork: " + message, "engine_unavailable"});
}

void ChildSession::on_exited(int signal, int status) {
  exited_ = true;
  signal_ = signal;
  status_ = status;
  changed_.notify_all();
}

void ChildSession::on_host_lost(Error error) {
  kill_group(SIGKILL);
  exited_ = true;
  fail_with(std::move(error));
}

Task<Result<void>> ChildSession::wait_started(SteadyTime deadline) {
  const auto self = shared_from_this();
  while (pid_ == 0 && !exited_ && steady_clock::now() < deadline)
    co_await changed_.wait_for(deadline - steady_clock::now());
  if (pid_ != 0) co_return Result<void>{};
  if (exited_ && over_) co_return fail(*over_);
  co_return fail(Errc::unavailable, "the engine host does not answer", "engine_unavailable");
}

Task<Result<ChildEvent>> ChildSession::stage(json::object command, std::chrono::seconds limit,
                                             std::chrono::seconds quiet_limit, Keep keep) {
  const auto self = shared_from_this();
  if (over_) co_return fail(*over_);
  const std::string name(command.at("command").as_string());
  answer_.reset();
  asked_ = true;
  native_ = static_cast<bool>(keep);
  send(command);

  last_progress_ = steady_clock::now();
  const auto deadline = last_progress_ + limit;
  while (!answer_ && !over_) {
    const auto now = steady_clock::now();
    const auto quiet_end = quiet_limit > 0s ? last_progress_ + quiet_limit : SteadyTime::max();
    if (now >= deadline) {
      terminate(
          {Errc::timeout, fmt::format("{} took longer than {} s", name, limit.count()), "engine_timeout"});
    } else if (promises_.complete()) {
      co_await keep_promises(keep, deadline);
    } else if (now >= quiet_end) {
      terminate({Errc::timeout, fmt::format("{} made no progress for {} s", name, quiet_limit.count()),
                 "engine_timeout"});
    } else {
      co_await changed_.wait_for(std::min(deadline, quiet_end) - now);
    }
  }
  asked_ = false;
  if (!answer_) co_return fail(*over_);
  co_return std::move(*answer_);
}

Task<void> ChildSession::keep_promises(const Keep& keep, SteadyTime deadline) {
  using namespace asio::experimental::awaitable_operators;
  Kept kept;
  std::vector<media::Part> parts = promises_.take();
  std::vector<std::string> names;
  // One with a digest is to stay as it is; it can still be replaced by another of its name.
  for (const media::Part& part : parts) {
    if (!part.digest) names.push_back(part.name);
  }
  const auto first = co_await (run_keep(keep, std::move(parts), kept) || lost_or(deadline));
  if (kept.failure && first.index() == 0) std::rethrow_exception(kept.failure);
  last_progress_ = steady_clock::now();
  if (!kept.result || over_) co_return;
  if (*kept.result) {
    for (const std::string& name : names) give_to_owner_of(folder_.get(), name);
    promises_.settle();
    send({{"command", "kept"}});
  } else {
    fail_with(kept.result->error());
    boost::system::error_code ignored;
    channel_.shutdown(asio::socket_base::shutdown_both, ignored);  // The child ends at its barrier.
  }
}

Task<void> ChildSession::ended() {
  const auto self = shared_from_this();
  for (const auto patience : {kExitReport, kKillDelay}) {
    const auto deadline = steady_clock::now() + patience;
    while (!exited_ && steady_clock::now() < deadline)
      co_await changed_.wait_for(deadline - steady_clock::now());
    kill_group(SIGKILL);
  }
}

Task<void> ChildSession::lost_or(SteadyTime deadline) {
  while (!over_ && steady_clock::now() < deadline) co_await changed_.wait_for(deadline - steady_clock::now());
}

void ChildSession::send(const json::object& message) {
  outbox_.push_back(frame(message));
  changed_.notify_all();
}

void ChildSession::wind_up() {
  if (winding_up_ || pid_ <= 0 || exited_) return;
  winding_up_ = true;
  ::kill(pid_, SIGINT);
}

void ChildSession::terminate(Error why) {
  fail_with(std::move(why));
  if (exited_) return;
  kill_group(SIGTERM);
  scope_.spawn("engine child end", [](std::shared_ptr<ChildSession> self) -> Task<void> {
    const auto deadline = steady_clock::now() + kKillDelay;
    while (!self->exited_ && steady_clock::now() < deadline) {
      co_await self->changed_.wait_for(deadline - steady_clock::now());
    }
    self->kill_group(SIGKILL);
  }(shared_from_this()));
}

void ChildSession::abandon() {
  abandoned_ = true;
  listener_ = {};
  kill_group(SIGKILL);
  fail_with({Errc::cancelled, "the engine child was given up", "cancelled"});
  boost::system::error_code ignored;
  channel_.shutdown(asio::socket_base::shutdown_both, ignored);
}

void ChildSession::fail_with(Error error) {
  if (!over_) over_ = std::move(error);
  changed_.notify_all();
}

void ChildSession::kill_group(int signal) const {
  if (pid_ > 0 && !exited_) ::kill(-pid_, signal);
}

void ChildSession::log(LogLevel level, std::string message) {
  const auto tell = listener_.on_log;  // A copy: the call may drop the Child, and the listener with it.
  if (!tell || !budget_.allow(steady_clock::now())) return;
  if (const auto refused = budget_.take_refused())
    tell(LogLevel::warn, fmt::format("({} lines left out)", refused));
  tell(level, std::string(truncate_utf8(message, OutputTail::kMaxLine)));
}

Task<void> ChildSession::read_output() {
  const auto self = shared_from_this();
  co_await read_lines(output_, tail_, [this](std::string line) { log(LogLevel::info, std::move(line)); });
  output_ended_ = true;
  changed_.notify_all();
}

Task<void> ChildSession::write_channel() {
  const auto self = shared_from_this();
  while (!over_) {
    if (outbox_.empty()) {
      co_await changed_.wait();
      continue;
    }
    const std::string message = std::move(outbox_.front());
    outbox_.pop_front();
    const auto [error, size] = co_await asio::async_write(channel_, asio::buffer(message), as_result);
    if (error) co_return;  // The reader sees the end as well and says what happened.
  }
}

Task<Result<std::string>> ChildSession::read_message() {
  std::array<unsigned char, 4> header{};
  const auto [header_error, header_size] =
      co_await asio::async_read(channel_, asio::buffer(header), as_result);
  if (header_error) co_return fail(Errc::unavailable, header_error.message());
  const std::size_t size = boost::endian::load_big_u32(header.data());
  if (size > kMaxMessage)
    co_return fail(Errc::internal, fmt::format("a message of {} bytes is too large", size));
  std::string body(size, '\0');
  const auto [error, read] = co_await asio::async_read(channel_, asio::buffer(body), as_result);
  if (error) co_return fail(Errc::unavailable, error.message());
  co_return body;
}

Task<void> ChildSession::read_channel() {
  const auto self = shared_from_this();
  for (;;) {
    const auto message = co_await read_message();
    if (!message && message.error().code == Errc::unavailable) break;
    auto event = message ? decode_child_event(*message) : fail(message.error());
    const auto taken = event ? take(std::move(*event)) : fail(event.error());
    if (taken) continue;
    fail_with({Errc::unavailable, "the engine child broke the protocol: " + taken.error().message,
               "engine_crashed"});
    kill_group(SIGKILL);
    break;
  }
  if (!over_) fail_with(co_await crash_report());
}

Result<void> ChildSession::take(ChildEvent event) {
  if (auto* line = std::get_if<LogLine>(&event)) {
    log(line->level, std::move(line->message));
  } else if (auto* step = std::get_if<Step>(&event)) {
    log(LogLevel::debug, "post-processing: " + step->name);
  } else if (auto* moved = std::get_if<Moved>(&event)) {
    last_progress_ = steady_clock::now();
    if (const auto tell = listener_.on_progress) tell(moved->progress);
  } else if (auto* failed = std::get_if<Failed>(&event)) {
    if (const auto tell = listener_.on_told_to_wait; tell && failed->retry_after) tell(*failed->retry_after);
    if (listener_.on_blamed && !failed->extractor.empty()) listener_.on_blamed(failed->extractor);
    fail_with(std::move(failed->error));
  } else if (std::holds_alternative<Promise>(event) || std::holds_alternative<Promised>(event)) {
    return take_promise(std::move(event));
  } else if (!asked_ || answer_) {
    return fail(Errc::internal, "an answer to no command");
  } else if (promises_.pending()) {
    return fail(Errc::internal, "an answer before the promises were kept");
  } else {
    const auto* listed = std::get_if<media::Listed>(&event);
    const bool last = std::holds_alternative<Finished>(event) || (listed && listed->last);
    answer_ = std::move(event);
    if (last) fail_with({Errc::conflict, "the engine child has finished already", "conflict"});
    changed_.notify_all();
  }
  return {};
}

Result<void> ChildSession::take_promise(ChildEvent event) {
  if (!asked_ || !native_ || answer_) return fail(Errc::internal, "a promise nobody asked for");
  last_progress_ = steady_clock::now();
  if (auto* promise = std::get_if<Promise>(&event)) return promises_.add(std::move(*promise));
  auto closed = promises_.close();
  changed_.notify_all();
  return closed;
}

// Waits a little for what the host and the child's last output say about its end.
Task<Error> ChildSession::crash_report() {
  const auto deadline = steady_clock::now() + kExitReport;
  while ((!exited_ || !output_ended_) && steady_clock::now() < deadline) {
    co_await changed_.wait_for(deadline - steady_clock::now());
  }
  const auto message = how_it_ended(exited_, signal_, status_);
  if (const auto tell = listener_.on_log) {
    for (auto& line : tail_.last_lines(kLastWords)) tell(LogLevel::error, std::move(line));
    tell(LogLevel::error, message);
  }
  co_return Error{Errc::unavailable, message, "engine_crashed"};
}

}  // namespace trawl::engine
