#include "api/usage_routes.h"

#include "access/scopes.h"
#include "downloads/job_totals.h"

namespace trawl::api {
namespace {

json::object used_object(const access::Used& used) {
  return {{"period", used.period},
          {"jobs", used.jobs},
          {"bytes", used.bytes},
          {"jobs_limit", encode(used.jobs_limit)},
          {"bytes_limit", encode(used.bytes_limit)}};
}

json::object report_object(const access::UsageReport& report) {
  return {{"key_id", report.owner}, {"day", used_object(report.day)}, {"month", used_object(report.month)}};
}

// The table of routes, for tests and tools.
json::array routes_of(const http::Router& router) {
  json::array out;
  for (const http::Endpoint& endpoint : router.endpoints()) {
    out.push_back({{"method", endpoint.method},
                   {"path", endpoint.path},
                   {"scope", endpoint.scope.name()},
                   {"summary", endpoint.summary},
                   {"limit", endpoint.limit},
                   {"signed_link", endpoint.signed_link},
                   {"websocket", endpoint.websocket}});
  }
  return out;
}

}  // namespace

void UsageRoutes::add_to(http::Router& router) {
  router.add({.method = "GET",
              .path = "/api/v1/usage",
              .scope = access::kDownloadsRead,
              .summary = "What the calling key has used today and this month."},
             [this](http::Request request) { return own(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/admin/api-keys/{id}/usage",
              .scope = access::kKeys,
              .summary = "What an API key has used today and this month."},
             [this](http::Request request) { return of_key(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/admin/stats",
              .scope = access::kSystemRead,
              .summary = "Counts of keys and downloads, and who downloads most."},
             [this](http::Request request) { return stats(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/admin/routes",
              .scope = access::kSystemRead,
              .summary = "Every route with the scope it needs."},
             [&router](http::Request) -> Task<http::Response> {
               co_return http::json_response(200, json::object{{"routes", routes_of(router)}});
             });
}

Task<http::Response> UsageRoutes::own(http::Request request) {
  const auto report = co_await quotas_.report(request.caller.owner);
  if (!report) co_return http::error_response(request, report.error());
  co_return http::json_response(200, report_object(*report));
}

Task<http::Response> UsageRoutes::of_key(http::Request request) {
  const auto key = co_await keys_.find(request.path_param("id"));
  if (!key) co_return http::error_response(request, key.error());
  const auto report = co_await quotas_.report(key->id);
  if (!report) co_return http::error_response(request, report.error());
  co_return http::json_response(200, report_object(*report));
}

Task<http::Response> UsageRoutes::stats(http::Request request) {
  const auto all = co_await keys_.list({.limit = 1}),
             active = co_await keys_.list({.active_only = true, .limit = 1});
  if (!all) co_return http::error_response(request, all.error());
  if (!active) co_return http::error_response(request, active.error());
  const auto totals = co_await downloads::job_totals(database_, clock_.now());
  if (!totals) co_return http::error_response(request, totals.error());
  json::array top;
  for (const auto& [owner, count] : totals->top_owners)
    top.push_back(json::object{{"key_id", owner}, {"downloads", count}});
  co_return http::json_response(200, json::object{{"total_api_keys", all->total},
                                                  {"active_api_keys", active->total},
                                                  {"total_downloads", totals->total},
                                                  {"successful_downloads", totals->completed},
                                                  {"failed_downloads", totals->failed},
                                                  {"downloads_last_24h", totals->last_day},
                                                  {"downloads_last_7d", totals->last_week},
                                                  {"top_users", std::move(top)},
                                                  {"timestamp", to_iso8601(clock_.now())}});
}

}  // namespace trawl::api
