#include "api/metrics_routes.h"

#include "access/scopes.h"
#include "metrics/registry.h"

namespace trawl::api {

void MetricsRoutes::add_to(http::Router& router) {
  for (const char* path : {"/metrics", "/api/v1/metrics"})
    router.add({.method = "GET",
                .path = path,
                .scope = open_ ? access::kPublic : access::kMetrics,
                .summary = "The figures of this process, for Prometheus.",
                .contract = {.body = http::Body::none(),
                             .query = http::Query::none(),
                             .answers = http::Answers::bytes(200, "text/plain", "Prometheus' text format."),
                             .refusals = http::Refusals::none()}},
               [this](http::Request request) { return show(std::move(request)); });
}

Task<http::Response> MetricsRoutes::show(http::Request) {
  http::Response response{.status = 200, .headers = {}, .body = co_await text_()};
  response.headers.set("Content-Type", metrics::kContentType);
  response.headers.set("Cache-Control", "no-store");
  co_return response;
}

}  // namespace trawl::api
