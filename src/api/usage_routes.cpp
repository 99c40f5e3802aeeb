#include "api/usage_routes.h"

#include "access/scopes.h"
#include "api/usage_views.h"
#include "downloads/job_totals.h"

namespace trawl::api {
namespace {

UsedView view_of(const access::Used& used) {
  return {used.period, used.jobs, used.bytes, used.jobs_limit, used.bytes_limit};
}

UsageView view_of(const access::UsageReport& report) {
  return {report.owner, view_of(report.day), view_of(report.month)};
}

// The table of routes, for tests and tools.
RoutesView routes_of(const http::Router& router) {
  RoutesView view;
  for (const http::Endpoint& endpoint : router.endpoints()) {
    view.routes.push_back({.method = endpoint.method,
                           .path = endpoint.path,
                           .scope = std::string(endpoint.scope.name()),
                           .summary = endpoint.summary,
                           .limit = endpoint.limit,
                           .signed_link = endpoint.signed_link,
                           .websocket = endpoint.websocket});
  }
  return view;
}

}  // namespace

void UsageRoutes::add_to(http::Router& router) {
  router.add({.method = "GET",
              .path = "/api/v1/usage",
              .scope = access::kDownloadsRead,
              .summary = "What the calling key has used today and this month.",
              .contract = shows<UsageView>()},
             [this](http::Request request) { return own(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/admin/api-keys/{id}/usage",
              .scope = access::kKeys,
              .summary = "What an API key has used today and this month.",
              .contract = shows_one<UsageView>()},
             [this](http::Request request) { return of_key(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/admin/stats",
              .scope = access::kSystemRead,
              .summary = "Counts of keys and downloads, and who downloads most.",
              .contract = shows<AdminStatsView>()},
             [this](http::Request request) { return stats(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/admin/routes",
              .scope = access::kSystemRead,
              .summary = "Every route with the scope it needs.",
              .contract = shows<RoutesView>()},
             [&router](http::Request) -> Task<http::Response> {
               co_return http::json_response(200, encode(routes_of(router)));
             });
}

Task<http::Response> UsageRoutes::own(http::Request request) {
  const auto report = co_await quotas_.report(request.caller.owner);
  if (!report) co_return http::error_response(request, report.error());
  co_return http::json_response(200, encode(view_of(*report)));
}

Task<http::Response> UsageRoutes::of_key(http::Request request) {
  const auto key = co_await keys_.find(request.path_param("id"));
  if (!key) co_return http::error_response(request, key.error());
  const auto report = co_await quotas_.report(key->id);
  if (!report) co_return http::error_response(request, report.error());
  co_return http::json_response(200, encode(view_of(*report)));
}

Task<http::Response> UsageRoutes::stats(http::Request request) {
  const auto all = co_await keys_.list({.limit = 1}),
             active = co_await keys_.list({.active_only = true, .limit = 1});
  if (!all) co_return http::error_response(request, all.error());
  if (!active) co_return http::error_response(request, active.error());
  const auto totals = co_await downloads::job_totals(database_, clock_.now());
  if (!totals) co_return http::error_response(request, totals.error());
  AdminStatsView view{.total_api_keys = all->total,
                      .active_api_keys = active->total,
                      .total_downloads = totals->total,
                      .successful_downloads = totals->completed,
                      .failed_downloads = totals->failed,
                      .downloads_last_24h = totals->last_day,
                      .downloads_last_7d = totals->last_week,
                      .top_users = {},
                      .timestamp = clock_.now()};
  for (const auto& [owner, count] : totals->top_owners) view.top_users.push_back({owner, count});
  co_return http::json_response(200, encode(view));
}

}  // namespace trawl::api
