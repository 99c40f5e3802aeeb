#include "api/progress_socket.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "access/scopes.h"
#include "api/ownership.h"
#include "api/paging.h"
#include "async/scope.h"
#include "async/semaphore.h"

namespace trawl::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kReplayBatch = 200;

json::object status_message(const JobId& job, std::int64_t seq, SystemTime at, const json::object& data) {
  json::object message = data;
  message["type"] = "status";
  message["seq"] = seq;
  message["job_id"] = job.str();
  message["timestamp"] = to_iso8601(at);
  return message;
}

json::object log_message(const JobId& job, const LogLine& line) {
  return {{"type", "log"},       {"seq", line.seq},         {"job_id", job.str()},
          {"level", line.level}, {"message", line.message}, {"timestamp", to_iso8601(line.timestamp)}};
}

bool is_final(const events::Event& event) {
  return event.type == events::Type::status && event.data.at("final").as_bool();
}

}  // namespace

// One watcher. The writer follows the log; the reader answers pings and notices that the peer left.
class ProgressSocket::Session {
 public:
  Session(ProgressSocket& owner, http::WebSocket& socket, JobId job, asio::any_io_executor executor)
      : owner_(owner), socket_(socket), job_(job), sending_(executor, 1), gone_(executor), scope_(executor) {}

  Task<void> run(std::optional<std::int64_t> last_seq) {
    scope_.spawn("WebSocket reader", read());
    if (co_await write(last_seq)) co_await socket_.close(1000, "the download has ended");
    co_await scope_.close();
  }

 private:
  // True when the final status was sent.
  Task<bool> write(std::optional<std::int64_t> last_seq) {
    // Subscribed before anything is read, so nothing falls between the two.
    subscription_ = owner_.downloads_.bus().subscribe(job_);
    const auto newest = co_await newest_seq();
    const auto download = co_await owner_.downloads_.find(job_);
    if (!newest || !download) co_return false;

    if (!co_await send({{"type", "connected"},
                        {"job_id", job_.str()},
                        {"message", "watching the download"},
                        {"timestamp", to_iso8601(owner_.clock_.now())}}))
      co_return false;
    const json::value snapshot = encode(view_of(*download, owner_.context_));
    if (!co_await send(
            {{"type", "snapshot"}, {"job_id", job_.str()}, {"job", snapshot}, {"last_seq", *newest}}))
      co_return false;

    // A download that has ended still tells so: its last events are sent again.
    sent_ = last_seq.value_or(jobs::final(download->job.state) ? *newest - 1 : *newest);
    co_return co_await follow();
  }

  Task<bool> follow() {
    using namespace asio::experimental::awaitable_operators;
    bool behind = true;  // The log holds what we have not sent.
    while (!left_) {
      if (behind) {
        const auto ended = co_await replay();
        if (!ended || *ended) co_return ended.value_or(false);
        behind = false;
      }
      const auto woken = co_await (subscription_->next(20s) || gone_.wait());
      if (subscription_->lagged()) {
        subscription_ = owner_.downloads_.bus().subscribe(job_);
        behind = true;
      }
      const auto* arrived = std::get_if<0>(&woken);
      if (!arrived || !*arrived) continue;
      if ((*arrived)->elsewhere && (*arrived)->type != events::Type::progress) {
        behind = true;  // Two nodes may be heard in another order than they wrote.
        continue;
      }
      if (!co_await forward(**arrived)) co_return false;
      if (is_final(**arrived)) co_return true;
    }
    co_return false;
  }

  // Sends what the log has after `sent_`; true when that ended with the final status.
  Task<Result<bool>> replay() {
    bool ended = false;  // A download that ended may have been asked for again.
    while (true) {
      const auto missed = co_await owner_.downloads_.log().since(job_, sent_, kReplayBatch);
      if (!missed) co_return fail(missed.error());
      for (const events::Event& event : *missed) {
        if (!co_await forward(event)) co_return fail(Errc::unavailable, "the watcher left");
        if (event.type == events::Type::status) ended = is_final(event);
      }
      if (missed->size() < kReplayBatch) co_return ended;
    }
  }

  Task<bool> forward(const events::Event& event) {
    if (event.type == events::Type::progress) {
      const json::value* phase = event.data.if_contains("phase");
      const ProgressView view = progress_view(
          event.data, phase && phase->is_string() ? std::string_view(phase->as_string()) : "", false);
      co_return co_await send({{"type", "progress"},
                               {"job_id", job_.str()},
                               {"progress", encode(view)},
                               {"timestamp", to_iso8601(owner_.clock_.now())}});
    }
    if (event.seq <= sent_) co_return true;
    sent_ = event.seq;
    co_return co_await send(event.type == events::Type::status
                                ? status_message(job_, event.seq, event.at, event.data)
                                : log_message(job_, log_line(event)));
  }

  Task<Result<std::int64_t>> newest_seq() {
    std::int64_t newest = 0;
    while (true) {
      const auto events = co_await owner_.downloads_.log().since(job_, newest, kReplayBatch);
      if (!events) co_return fail(events.error());
      if (!events->empty()) newest = events->back().seq;
      if (events->size() < kReplayBatch) co_return newest;
    }
  }

  Task<void> read() {
    while (const auto message = co_await socket_.receive()) {
      const auto parsed = parse_json(*message);
      const json::value* type =
          parsed && parsed->is_object() ? parsed->as_object().if_contains("type") : nullptr;
      if (type && *type == "ping" &&
          !co_await send({{"type", "pong"}, {"timestamp", to_iso8601(owner_.clock_.now())}}))
        break;
    }
    left_ = true;
    gone_.notify_all();
  }

  Task<bool> send(json::object message) {
    const auto turn = co_await sending_.acquire();
    co_return (co_await socket_.send(json::serialize(message))).has_value();
  }

  ProgressSocket& owner_;
  http::WebSocket& socket_;
  JobId job_;
  std::shared_ptr<events::Subscription> subscription_;
  std::int64_t sent_ = 0;
  Semaphore sending_;
  bool left_ = false;
  Event gone_;
  Scope scope_;
};

void ProgressSocket::add_to(http::Router& router) {
  for (const char* pattern :
       {"/api/v1/ws/downloads/{id}", "/ws/downloads/{id}", "/ws/progress/{id}", "/api/v1/ws/progress/{id}"}) {
    router.add_websocket(
        {.method = "GET",
         .path = pattern,
         .scope = access::kDownloadsRead,
         .summary = "Watch a download over WebSocket."},
        [this](http::Request request, http::WebSocket& socket) { return serve(std::move(request), socket); },
        [this](http::Request& request) { return check(request); });
  }
}

Task<std::optional<http::Response>> ProgressSocket::check(http::Request request) {
  const auto download = co_await find_for(downloads_, request);
  if (!download) co_return std::move(download.error());
  const auto last_seq = read_number(request, "last_seq", 0, 0, INT64_MAX);
  if (!last_seq)
    co_return http::error_response(request, 422, last_seq.error().reason, last_seq.error().message);
  co_return std::nullopt;
}

Task<void> ProgressSocket::serve(http::Request request, http::WebSocket& socket) {
  const auto id = JobId::parse(request.path_param("id"));
  const auto last_seq = read_number(request, "last_seq", -1, -1, INT64_MAX);
  if (!id || !last_seq) co_return;  // check() has refused these.
  Session session(*this, socket, *id, co_await asio::this_coro::executor);
  co_await session.run(*last_seq < 0 ? std::nullopt : std::optional(*last_seq));
}

}  // namespace trawl::api
