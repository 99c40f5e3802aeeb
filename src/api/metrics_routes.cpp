#include "api/metrics_routes.h"

#include "access/scopes.h"
#include "api/system_views.h"
#include "http/accept.h"
#include "metrics/registry.h"

namespace trawl::api {
namespace {

// Who takes text as well gets Prometheus' format: that is what the path is for.
bool wants_json(std::string_view accept) {
  return http::asks_for(accept, "application/json") && !http::asks_for(accept, "text/plain");
}

}  // namespace

void MetricsRoutes::add_to(http::Router& router) {
  for (const char* path : {"/metrics", "/api/v1/metrics"})
    router.add(
        {.method = "GET",
         .path = path,
         .scope = open_ ? access::kPublic : access::kMetrics,
         .summary = "The figures of this process, for Prometheus; asked for JSON, those of the system.",
         .contract = {.body = http::Body::none(),
                      .query = http::Query::none(),
                      .answers = http::Answers::bytes(200, "text/plain", "Prometheus' text format.")
                                     .or_json<StatsView>(200),
                      .refusals = http::Refusals::none()}},
        [this](http::Request request) { return show(std::move(request)); });
}

Task<http::Response> MetricsRoutes::show(http::Request request) {
  if (wants_json(request.headers.find("Accept").value_or(""))) {
    http::Response statistics = co_await statistics_(std::move(request));
    statistics.headers.set("Vary", "Accept");
    co_return statistics;
  }
  http::Response response{.status = 200, .headers = {}, .body = co_await text_()};
  response.headers.set("Content-Type", metrics::kContentType);
  response.headers.set("Cache-Control", "no-store");
  response.headers.set("Vary", "Accept");
  co_return response;
}

}  // namespace trawl::api
