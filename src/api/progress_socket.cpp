#include "api/progress_socket.h"

#include "access/scopes.h"
#include "api/job_feed.h"
#include "api/ownership.h"
#include "api/paging.h"
#include "api/queries.h"
#include "async/scope.h"
#include "async/semaphore.h"

namespace trawl::api {

using namespace std::chrono_literals;

// One watcher. The writer follows the feed; the reader answers pings and notices that the peer left.
class ProgressSocket::Session {
 public:
  Session(ProgressSocket& owner, http::WebSocket& socket, JobId job, http::Caller caller,
          asio::any_io_executor executor)
      : owner_(owner),
        socket_(socket),
        caller_(std::move(caller)),
        feed_(owner.downloads_, owner.clock_, owner.context_, job, executor),
        sending_(executor, 1),
        scope_(executor) {}

  Task<void> run(std::optional<std::int64_t> last_seq) {
    scope_.spawn("WebSocket reader", read());
    if (co_await write(last_seq)) co_await socket_.close(1000, "the download has ended");
    co_await scope_.close();
  }

 private:
  // True when the final status was sent.
  Task<bool> write(std::optional<std::int64_t> last_seq) {
    if (const auto begun = co_await feed_.begin(last_seq); !begun) co_return false;
    while (!feed_.ended() && !feed_.stopped()) {
      auto item = co_await feed_.next(20s);
      if (!item) co_return false;
      if (!co_await owner_.still_(caller_)) {
        co_await socket_.close(4001, "the key is of no use any more");
        co_return false;
      }
      if (*item && !co_await send(std::move((*item)->message))) co_return false;
    }
    co_return feed_.ended();
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
    feed_.stop();
  }

  Task<bool> send(json::object message) {
    const auto turn = co_await sending_.acquire();
    co_return (co_await socket_.send(json::serialize(message))).has_value();
  }

  ProgressSocket& owner_;
  http::WebSocket& socket_;
  http::Caller caller_;
  JobFeed feed_;
  Semaphore sending_;
  Scope scope_;
};

void ProgressSocket::add_to(http::Router& router) {
  for (const char* pattern :
       {"/api/v1/ws/downloads/{id}", "/ws/downloads/{id}", "/ws/progress/{id}", "/api/v1/ws/progress/{id}"}) {
    router.add_websocket(
        {.method = "GET",
         .path = pattern,
         .scope = access::kDownloadsRead,
         .summary = "Watch a download over WebSocket.",
         .contract = watching<>()},
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
  Session session(*this, socket, *id, request.caller, co_await asio::this_coro::executor);
  co_await session.run(*last_seq < 0 ? std::nullopt : std::optional(*last_seq));
}

}  // namespace trawl::api
