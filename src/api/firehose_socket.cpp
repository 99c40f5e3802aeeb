#include "api/firehose_socket.h"

#include <algorithm>
#include <set>

#include <boost/asio/experimental/awaitable_operators.hpp>

#include "access/scopes.h"
#include "api/queries.h"
#include "async/scope.h"
#include "async/semaphore.h"

namespace trawl::api {
namespace {

using namespace std::chrono_literals;

constexpr std::size_t kKnownOwners = 4096;

// Which events are wanted: `?types=status,log`; all without it.
std::optional<std::set<events::Type>> wanted_types(const http::Request& request) {
  std::set<events::Type> types;
  const auto asked = request.query_param("types");
  if (!asked) return std::set{events::Type::status, events::Type::log, events::Type::progress};
  for (const std::string_view name : split(*asked, ',')) {
    const auto type = parse_enum<events::Type>(trim(name));
    if (!type) return std::nullopt;
    types.insert(*type);
  }
  return types;
}

}  // namespace

class FirehoseSocket::Session {
 public:
  Session(FirehoseSocket& owner, http::WebSocket& socket, http::Caller caller, std::set<events::Type> types,
          asio::any_io_executor executor)
      : owner_(owner),
        socket_(socket),
        caller_(std::move(caller)),
        types_(std::move(types)),
        sending_(executor, 1),
        gone_(executor),
        scope_(executor) {}

  Task<void> run() {
    scope_.spawn("WebSocket reader", read());
    co_await write();
    co_await scope_.close();
  }

 private:
  Task<void> write() {
    using namespace asio::experimental::awaitable_operators;
    auto heard = owner_.bus_.subscribe(std::nullopt);
    if (!co_await send(told("connected", "watching your downloads"))) co_return;
    while (!left_) {
      const auto woken = co_await (heard->next(20s) || gone_.wait());
      if (!co_await owner_.still_(caller_)) {
        co_await socket_.close(4001, "the key is of no use any more");
        co_return;
      }
      if (heard->lagged()) {
        heard = owner_.bus_.subscribe(std::nullopt);
        if (!co_await send(told("resync", "events were left out: look at the list of downloads again")))
          co_return;
        continue;
      }
      const auto* event = std::get_if<0>(&woken);
      if (!event || !*event || !types_.contains((*event)->type)) continue;
      if (!co_await visible((*event)->job)) continue;
      if (!co_await send(feed_item(**event, owner_.clock_.now()).message)) co_return;
    }
  }

  // Owners do not change, so each job is looked up once.
  Task<bool> visible(JobId job) {
    if (caller_.sees_all) co_return true;
    if (const auto known = seen_.find(job); known != seen_.end()) co_return known->second;
    const auto owner = co_await owner_.owner_of_(job);
    if (!owner) co_return false;
    if (seen_.size() >= kKnownOwners) seen_.erase(seen_.begin());  // The oldest: ids grow.
    co_return seen_[job] = caller_.sees(*owner);
  }

  Task<void> read() {
    while (const auto message = co_await socket_.receive()) {
      const auto parsed = parse_json(*message);
      const json::value* type =
          parsed && parsed->is_object() ? parsed->as_object().if_contains("type") : nullptr;
      if (type && *type == "ping" && !co_await send(told("pong", ""))) break;
    }
    left_ = true;
    gone_.notify_all();
  }

  json::object told(std::string_view type, std::string_view text) const {
    json::object message{{"type", type}, {"timestamp", to_iso8601(owner_.clock_.now())}};
    if (!text.empty()) message["message"] = text;
    return message;
  }

  Task<bool> send(json::object message) {
    const auto turn = co_await sending_.acquire();
    co_return (co_await socket_.send(json::serialize(message))).has_value();
  }

  FirehoseSocket& owner_;
  http::WebSocket& socket_;
  http::Caller caller_;
  std::set<events::Type> types_;
  std::map<JobId, bool> seen_;
  Semaphore sending_;
  bool left_ = false;
  Event gone_;
  Scope scope_;
};

void FirehoseSocket::add_to(http::Router& router) {
  for (const char* path : {"/api/v1/ws", "/ws"}) {
    router.add_websocket(
        {.method = "GET",
         .path = path,
         .scope = access::kDownloadsRead,
         .summary = "Watch all of one's downloads over WebSocket.",
         .contract = watching<TypesQuery>()},
        [this](http::Request request, http::WebSocket& socket) { return serve(std::move(request), socket); },
        [this](http::Request& request) { return check(request); });
  }
}

Task<std::optional<http::Response>> FirehoseSocket::check(http::Request request) {
  if (wanted_types(request)) co_return std::nullopt;
  co_return http::error_response(request, 422, "validation_error",
                                 "types is a list of status, log and progress");
}

Task<void> FirehoseSocket::serve(http::Request request, http::WebSocket& socket) {
  auto types = wanted_types(request);
  if (!types) co_return;  // check() has refused it.
  Session session(*this, socket, request.caller, std::move(*types), co_await asio::this_coro::executor);
  co_await session.run();
}

}  // namespace trawl::api
