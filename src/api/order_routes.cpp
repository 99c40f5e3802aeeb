#include "api/order_routes.h"

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/body.h"
#include "api/common_views.h"
#include "api/ownership.h"

namespace trawl::api {
namespace {

struct RetentionBody {
  std::optional<SystemTime> expires_at;
  std::optional<double> hours;
};
BOOST_DESCRIBE_STRUCT(RetentionBody, (), (expires_at, hours))

struct OrderView {
  std::string id, job_id, request_id;  // All the same.
  std::string status;
  jobs::State state = jobs::State::queued;
  std::string message;
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(OrderView, (), (id, job_id, request_id, status, state, message, timestamp))

struct RetentionView {
  std::string id, job_id, request_id;
  std::optional<SystemTime> expires_at, deletion_time;  // The same.
  std::string message;
};
BOOST_DESCRIBE_STRUCT(RetentionView, (), (id, job_id, request_id, expires_at, deletion_time, message))

}  // namespace
}  // namespace trawl::api

template <>
struct trawl::Rules<trawl::api::RetentionBody> {
  static constexpr FieldRule fields[] = {
      {.name = "expires_at", .doc = "When the files are deleted."},
      {.name = "hours", .doc = "The same, counted from now.", .min = 0, .max = 87600}};
};
template <>
struct trawl::Example<trawl::api::RetentionBody> {
  static json::value make() { return {{"hours", 24}}; }
};
template <>
struct trawl::Example<trawl::api::RetentionView> {
  static json::value make() {
    const std::string id = "01980000-0000-7000-8000-000000000001";
    return encode(api::RetentionView{id, id, id, api::example_time(), api::example_time(),
                                     "the files are deleted then"});
  }
};
template <>
struct trawl::Example<trawl::api::OrderView> {
  static json::value make() {
    const std::string id = "01980000-0000-7000-8000-000000000001";
    return encode(api::OrderView{id, id, id, "paused", jobs::State::paused, "the download is paused",
                                 api::example_time()});
  }
};

namespace trawl::api {
namespace {

http::Contract ordering(const std::string& verb, int refused) {
  const bool takes_time = verb == "pause" || verb == "stop";
  auto answers = http::Answers::json<OrderView>();
  return {.body = http::Body::none(),
          .query = http::Query::none(),
          .answers = takes_time ? std::move(answers).or_json<OrderView>(202) : std::move(answers),
          .refusals = http::Refusals::of({{404, "not_found"}, {refused, http::kAnyCode}})};
}

http::Contract retaining(http::Body body) {
  return {.body = std::move(body),
          .query = http::Query::none(),
          .answers = http::Answers::json<RetentionView>(),
          .refusals = http::Refusals::of({{404, http::kAnyCode}, {409, http::kAnyCode}})};
}

}  // namespace

void OrderRoutes::add(http::Router& router, const std::string& path, const std::string& verb, Order order,
                      int refused) {
  const std::string summary = verb == "pause"    ? "Pause a download."
                              : verb == "resume" ? "Resume a download."
                              : verb == "stop" ? "End the recording of a live stream and keep what is there."
                                               : "Retry a download.";
  router.add({.method = "POST",
              .path = path,
              .scope = access::kDownloadsWrite,
              .summary = summary,
              .contract = ordering(verb, refused)},
             [this, verb, order, refused](http::Request request) {
               return carry_out(std::move(request), verb, order, refused);
             });
}

void OrderRoutes::add_to(http::Router& router) {
  using downloads::Downloads;
  const std::pair<std::string, Order> orders[] = {
      {"pause", &Downloads::pause}, {"resume", &Downloads::resume}, {"retry", &Downloads::retry}};
  for (const auto& [verb, order] : orders) {
    add(router, "/api/v1/downloads/{id}/" + verb, verb, order, 409);
    add(router, "/api/v1/download/{id}/" + verb, verb, order, 409);
    add(router, "/downloads/{id}/" + verb, verb, order, 400);
    add(router, "/jobs/{id}/" + verb, verb, order, 400);
  }
  add(router, "/api/v1/downloads/{id}/stop", "stop", &Downloads::end_recording, 409);
  add(router, "/api/v1/download/{id}/stop", "stop", &Downloads::end_recording, 409);
  add(router, "/api/v1/retry/{id}", "retry", &Downloads::retry, 400);
  for (const std::string path : {"/api/v1/downloads/{id}/retention", "/api/v1/download/{id}/retention"}) {
    router.add({.method = "PUT",
                .path = path,
                .scope = access::kDownloadsWrite,
                .summary = "Set when the files of a download are deleted.",
                .contract = retaining(http::Body::json<RetentionBody>())},
               [this](http::Request request) { return set_retention(std::move(request), false); });
    router.add({.method = "DELETE",
                .path = path,
                .scope = access::kDownloadsWrite,
                .summary = "Keep the files of a download.",
                .contract = retaining(http::Body::none())},
               [this](http::Request request) { return set_retention(std::move(request), true); });
  }
}

Task<http::Response> OrderRoutes::carry_out(http::Request request, std::string verb, Order order,
                                            int refused) {
  const auto download = co_await find_for(downloads_, request);
  if (!download) co_return std::move(download.error());
  const JobId id = download->job.id;
  const auto state = co_await (downloads_.*order)(id);
  if (!state && state.error().code == Errc::conflict)
    co_return http::error_response(request, refused, state.error().reason, state.error().message);
  if (!state) co_return http::error_response(request, state.error());
  // A running job that is to pause is told so, and pauses once it has stopped.
  const bool pending = verb == "pause" && *state == jobs::State::running;
  const bool stopping = verb == "stop";
  const std::string status = pending    ? "pausing"
                             : stopping ? "stopping"
                                        : std::string(jobs::api_status(*state));
  co_return http::json_response(pending || stopping ? 202 : 200,
                                encode(OrderView{id.str(), id.str(), id.str(), status, *state,
                                                 fmt::format("the download is {}", status), clock_.now()}));
}

Task<http::Response> OrderRoutes::set_retention(http::Request request, bool keep) {
  const auto download = co_await find_for(downloads_, request);
  if (!download) co_return std::move(download.error());
  const JobId id = download->job.id;
  std::optional<SystemTime> until;
  if (!keep) {
    const auto body = read_body<RetentionBody>(request, {});
    if (!body) co_return std::move(body.error());
    if (body->expires_at.has_value() == body->hours.has_value())
      co_return http::error_response(request, 422, "validation_error", "give either expires_at or hours");
    until = body->expires_at ? *body->expires_at
                             : clock_.now() + Millis(static_cast<std::int64_t>(*body->hours * 3'600'000));
  }
  const auto set = co_await downloads_.set_retention(id, until);
  if (!set) co_return http::error_response(request, set.error());
  co_return http::json_response(
      200, encode(RetentionView{id.str(), id.str(), id.str(), until, until,
                                until ? "the files are deleted then" : "the files are kept"}));
}

}  // namespace trawl::api
