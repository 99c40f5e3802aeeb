#include "api/batch_socket.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "access/scopes.h"
#include "api/paging.h"
#include "api/queries.h"
#include "async/scope.h"
#include "async/semaphore.h"

namespace trawl::api {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kReplayBatch = 200;
constexpr auto kPause = 250ms;  // Between two looks at the counts.

}  // namespace

// One watcher. It reads the log of the children rather than the bus: the bus only says when to look.
class BatchSocket::Session {
 public:
  Session(BatchSocket& owner, http::WebSocket& socket, std::string id, http::Caller caller,
          asio::any_io_executor executor)
      : owner_(owner),
        socket_(socket),
        id_(std::move(id)),
        caller_(std::move(caller)),
        sending_(executor, 1),
        gone_(executor),
        scope_(executor) {}

  Task<void> run(std::optional<std::int64_t> last_seq) {
    scope_.spawn("WebSocket reader", read());
    if (co_await write(last_seq)) co_await socket_.close(1000, "the batch has ended");
    co_await scope_.close();
  }

 private:
  // True when the final status was sent.
  Task<bool> write(std::optional<std::int64_t> last_seq) {
    auto woken = owner_.bus_.subscribe(std::nullopt);
    const auto newest = co_await owner_.batches_.newest_seq();
    const auto batch = co_await owner_.batches_.find(id_);
    if (!newest || !batch) co_return false;
    if (!co_await send("connected", {{"message", "watching the batch"}})) co_return false;
    told_ = encode(numbers_of(*batch)).as_object();
    if (!co_await send("snapshot",
                       {{"batch", encode(view_of(*batch, owner_.clock_.now()))}, {"last_seq", *newest}}))
      co_return false;
    sent_ = last_seq.value_or(*newest);
    while (!left_) {
      if (!co_await owner_.still_(caller_)) {
        co_await socket_.close(4001, "the key is of no use any more");
        co_return false;
      }
      const auto ended = co_await tell_news();
      if (!ended || *ended) co_return ended.value_or(false);
      co_await wake(woken);
    }
    co_return false;
  }

  // Waits until something happened to any job, and then a little, so that a burst is looked at once.
  Task<void> wake(std::shared_ptr<events::Subscription>& woken) {
    using namespace asio::experimental::awaitable_operators;
    co_await (woken->next(1s) || gone_.wait());
    if (left_) co_return;
    co_await gone_.wait_for(kPause);
    woken = owner_.bus_.subscribe(std::nullopt);
  }

  // The batch is looked at before its children's log: what the log holds by then is all that led to it.
  Task<Result<bool>> tell_news() {
    const auto batch = co_await owner_.batches_.find(id_);
    if (!batch) co_return fail(batch.error());
    if (auto replayed = co_await replay(); !replayed) co_return fail(replayed.error());
    json::object numbers = encode(numbers_of(*batch)).as_object();
    if (numbers != told_) {
      told_ = numbers;
      if (!co_await send("progress", std::move(numbers)))
        co_return fail(Errc::unavailable, "the watcher left");
    }
    if (!downloads::batch_ended(*batch)) co_return false;
    co_return co_await send("status", {{"status", downloads::batch_status(*batch)}, {"final", true}});
  }

  Task<Result<void>> replay() {
    while (true) {
      const auto steps = co_await owner_.batches_.steps_since(id_, sent_, kReplayBatch);
      if (!steps) co_return fail(steps.error());
      for (const events::Event& step : *steps) {
        json::object message = step.data;
        message["seq"] = step.seq;
        message["job_id"] = step.job.str();
        message["final"] = false;  // Of the batch.
        message["job_final"] = step.data.at("final");
        if (!co_await send("status", std::move(message)))
          co_return fail(Errc::unavailable, "the watcher left");
        sent_ = step.seq;
      }
      if (std::ssize(*steps) < kReplayBatch) co_return Result<void>();
    }
  }

  Task<void> read() {
    while (const auto message = co_await socket_.receive()) {
      const auto parsed = parse_json(*message);
      const json::value* type =
          parsed && parsed->is_object() ? parsed->as_object().if_contains("type") : nullptr;
      if (type && *type == "ping" && !co_await send("pong", {})) break;
    }
    left_ = true;
    gone_.notify_all();
  }

  Task<bool> send(std::string_view type, json::object message) {
    message["type"] = type;
    message["batch_id"] = id_;
    if (!message.contains("timestamp")) message["timestamp"] = to_iso8601(owner_.clock_.now());
    const auto turn = co_await sending_.acquire();
    co_return (co_await socket_.send(json::serialize(message))).has_value();
  }

  BatchSocket& owner_;
  http::WebSocket& socket_;
  std::string id_;
  http::Caller caller_;
  json::object told_;
  std::int64_t sent_ = 0;
  Semaphore sending_;
  bool left_ = false;
  Event gone_;
  Scope scope_;
};

void BatchSocket::add_to(http::Router& router) {
  for (const char* pattern : {"/api/v1/ws/batches/{id}", "/ws/batches/{id}"}) {
    router.add_websocket(
        {.method = "GET",
         .path = pattern,
         .scope = access::kDownloadsRead,
         .summary = "Watch a batch over WebSocket.",
         .contract = watching<>()},
        [this](http::Request request, http::WebSocket& socket) { return serve(std::move(request), socket); },
        [this](http::Request& request) { return check(request); });
  }
}

Task<std::optional<http::Response>> BatchSocket::check(http::Request request) {
  const auto batch = co_await batches_.find(request.path_param("id"));
  if (batch && !request.caller.sees(batch->tenant))
    co_return http::error_response(request, 404, "not_found", "there is no such batch");
  if (!batch) co_return http::error_response(request, batch.error());
  const auto last_seq = read_number(request, "last_seq", 0, 0, INT64_MAX);
  if (!last_seq)
    co_return http::error_response(request, 422, last_seq.error().reason, last_seq.error().message);
  co_return std::nullopt;
}

Task<void> BatchSocket::serve(http::Request request, http::WebSocket& socket) {
  const auto last_seq = read_number(request, "last_seq", -1, -1, INT64_MAX);
  if (!last_seq) co_return;  // check() has refused it.
  Session session(*this, socket, request.path_param("id"), request.caller,
                  co_await asio::this_coro::executor);
  co_await session.run(*last_seq < 0 ? std::nullopt : std::optional(*last_seq));
}

}  // namespace trawl::api
