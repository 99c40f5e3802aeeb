#include "api/event_stream.h"

#include <charconv>

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/ownership.h"
#include "api/paging.h"
#include "api/queries.h"

namespace trawl::api {
namespace {

constexpr std::size_t kPiece = 32 << 10;

// Where the client wants to go on: the header that browsers send by themselves, or `last_seq`.
Result<std::optional<std::int64_t>> last_seen(const http::Request& request) {
  const auto field = request.headers.find("Last-Event-ID");
  if (!field || field->empty()) {
    const auto asked = read_number(request, "last_seq", -1, -1, INT64_MAX);
    if (!asked) return fail(asked.error());
    return *asked < 0 ? std::nullopt : std::optional(*asked);
  }
  std::int64_t seq = 0;
  const auto [end, error] = std::from_chars(field->data(), field->data() + field->size(), seq);
  if (error != std::errc{} || end != field->data() + field->size() || seq < 0)
    return fail(Errc::invalid, "Last-Event-ID must be the id of an event", "validation_error");
  return seq;
}

http::Contract streaming() {
  return {.body = http::Body::none(),
          .query = http::Query::of<StreamQuery>(),
          .answers = http::Answers::bytes(200, "text/event-stream", "The events: docs/websocket.md.")
                         .or_empty(204, "The last event was seen; there will be no more."),
          .refusals = http::Refusals::of({{404, "not_found"}, {422, "validation_error"}}),
          .headers = {kLastEventIdHeader}};
}

}  // namespace

std::string event_text(const FeedItem& item) {
  const auto& type = item.message.at("type").as_string();
  // JSON text has no line ends of its own.
  return fmt::format("{}event: {}\ndata: {}\n\n", item.seq > 0 ? fmt::format("id: {}\n", item.seq) : "",
                     std::string_view(type), json::serialize(item.message));
}

class EventStream::Body final : public http::BodyStream {
 public:
  Body(const EventStream& owner, JobId job, http::Caller caller, asio::any_io_executor executor)
      : owner_(owner),
        caller_(std::move(caller)),
        feed_(owner.downloads_, owner.clock_, owner.context_, job, executor) {}

  JobFeed& feed() { return feed_; }

  Task<Result<std::optional<std::string>>> next() override {
    if (feed_.ended()) co_return std::nullopt;
    std::string text = begun_ ? "" : "retry: 2000\n\n";
    begun_ = true;
    do {
      auto item = co_await feed_.next(owner_.options_.keep_alive);
      if (!item) co_return fail(item.error());
      if (!*item && feed_.stopped()) co_return std::nullopt;
      text += *item ? event_text(**item) : ": keep-alive\n\n";
    } while (feed_.ready() && text.size() < kPiece);
    if (!co_await owner_.still_(caller_)) co_return std::nullopt;
    co_return text;
  }
  void stop() override { feed_.stop(); }

 private:
  const EventStream& owner_;
  http::Caller caller_;
  JobFeed feed_;
  bool begun_ = false;
};

void EventStream::add_to(http::Router& router) {
  for (const char* path : {"/api/v1/downloads/{id}/events", "/api/v1/download/{id}/events",
                           "/downloads/{id}/events", "/jobs/{id}/events"}) {
    router.add({.method = "GET",
                .path = path,
                .scope = access::kDownloadsRead,
                .summary = "Watch a download as server-sent events.",
                .contract = streaming()},
               [this](http::Request request) { return open(std::move(request)); });
  }
}

Task<http::Response> EventStream::open(http::Request request) {
  const auto download = co_await find_for(downloads_, request);
  if (!download) co_return std::move(download.error());
  const auto last_seq = last_seen(request);
  if (!last_seq)
    co_return http::error_response(request, 422, last_seq.error().reason, last_seq.error().message);
  const auto body =
      std::make_shared<Body>(*this, download->job.id, request.caller, co_await asio::this_coro::executor);
  if (const auto begun = co_await body->feed().begin(*last_seq); !begun)
    co_return http::error_response(request, begun.error());
  // The one answer after which browsers do not connect again.
  if (body->feed().seen_all()) co_return http::Response{.status = 204, .headers = {}, .body = {}};
  http::Response response{.status = 200, .headers = {}, .body = body};
  response.headers.set("Content-Type", "text/event-stream; charset=utf-8");
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("X-Accel-Buffering", "no");  // nginx would hold events back.
  co_return response;
}

}  // namespace trawl::api
