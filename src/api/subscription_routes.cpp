#include "api/subscription_routes.h"

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/body.h"
#include "api/ownership.h"
#include "api/paging.h"
#include "api/preview_views.h"
#include "api/subscription_views.h"

namespace trawl::api {
namespace {

http::Response refusal(const http::Request& request, const Error& error) {
  if (error.code != Errc::invalid) return http::error_response(request, error);
  return http::error_response(request, 422, error.reason, error.message,
                              {{{"body"}, error.message, "value_error"}});
}

}  // namespace

void SubscriptionRoutes::add_to(http::Router& router) {
  const auto on = [&](const char* method, const std::string& path,
                      Task<http::Response> (SubscriptionRoutes::*member)(http::Request)) {
    const bool reads = std::string_view(method) == "GET";
    router.add({.method = method,
                .path = "/api/v1/subscriptions" + path,
                .scope = reads ? access::kDownloadsRead : access::kDownloadsWrite,
                .summary = reads ? "Show subscriptions." : "Create or change subscriptions."},
               [this, member](http::Request request) { return own(std::move(request), member); });
  };
  on("POST", "", &SubscriptionRoutes::create);
  on("GET", "", &SubscriptionRoutes::list);
  on("GET", "/{id}", &SubscriptionRoutes::show);
  on("PUT", "/{id}", &SubscriptionRoutes::replace);
  on("PATCH", "/{id}", &SubscriptionRoutes::patch);
  on("DELETE", "/{id}", &SubscriptionRoutes::remove);
  on("POST", "/{id}/pause", &SubscriptionRoutes::pause);
  on("POST", "/{id}/resume", &SubscriptionRoutes::resume);
  on("POST", "/{id}/run", &SubscriptionRoutes::run);
  on("GET", "/{id}/runs", &SubscriptionRoutes::runs);
}

Task<http::Response> SubscriptionRoutes::own(
    http::Request request, Task<http::Response> (SubscriptionRoutes::*member)(http::Request)) {
  if (const std::string& id = request.path_param("id"); !id.empty() && !request.caller.sees_all) {
    const auto found = co_await subscriptions_.find(id);
    if (!found || !request.caller.sees(found->tenant))
      co_return http::error_response(request, 404, "not_found",
                                     "there is no subscription " + to_valid_utf8(id));
  }
  co_return co_await (this->*member)(std::move(request));
}

Task<http::Response> SubscriptionRoutes::create(http::Request request) {
  auto body = read_body<downloads::SubscriptionRequest>(request, {});
  if (!body) co_return std::move(body.error());
  const auto made = co_await subscriptions_.add(std::move(*body), request.caller.owner);
  if (!made) co_return refusal(request, made.error());
  http::Response response = http::json_response(201, encode(view_of(*made)));
  response.headers.set("Location", "/api/v1/subscriptions/" + made->id);
  co_return response;
}

Task<http::Response> SubscriptionRoutes::show(http::Request request) {
  const auto found = co_await subscriptions_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  co_return http::json_response(200, encode(view_of(*found)));
}

Task<http::Response> SubscriptionRoutes::list(http::Request request) {
  const auto paging = read_paging(request);
  if (!paging) co_return http::error_response(request, 422, paging.error().reason, paging.error().message);
  const auto page = co_await subscriptions_.list(visible_owner(request.caller), paging->offset, paging->size);
  if (!page) co_return http::error_response(request, page.error());
  SubscriptionListView view{page_numbers(*paging, page->total)};
  view.total = page->total;
  for (const auto& subscription : page->subscriptions) view.subscriptions.push_back(view_of(subscription));
  co_return http::json_response(200, encode(view));
}

Task<http::Response> SubscriptionRoutes::store(http::Request request, downloads::SubscriptionRequest body) {
  const auto stored = co_await subscriptions_.update(request.path_param("id"), std::move(body));
  if (!stored) co_return refusal(request, stored.error());
  co_return http::json_response(200, encode(view_of(*stored)));
}

Task<http::Response> SubscriptionRoutes::replace(http::Request request) {
  const auto found = co_await subscriptions_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  auto body = read_body<downloads::SubscriptionRequest>(request, {});
  if (!body) co_return std::move(body.error());
  co_return co_await store(std::move(request), std::move(*body));
}

Task<http::Response> SubscriptionRoutes::patch(http::Request request) {
  const auto found = co_await subscriptions_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  const auto changes = parse_json(request.body.empty() ? "{}" : request.body);
  if (!changes) co_return http::error_response(request, changes.error());
  if (!changes->is_object())
    co_return http::error_response(request, 422, "validation_error", "the body must be an object");
  auto body = downloads::changed(found->request, changes->get_object());
  if (!body) co_return problem_response(request, body.error());
  co_return co_await store(std::move(request), std::move(*body));
}

Task<http::Response> SubscriptionRoutes::remove(http::Request request) {
  const auto found = co_await subscriptions_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  const std::string id = request.path_param("id");
  const auto removed = co_await subscriptions_.remove(id);
  if (!removed) co_return http::error_response(request, removed.error());
  co_return http::json_response(200,
                                json::object{{"id", id},
                                             {"resource_type", "subscription"},
                                             {"status", "deleted"},
                                             {"message", "the subscription is deleted; its downloads stay"},
                                             {"timestamp", to_iso8601(clock_.now())}});
}

Task<http::Response> SubscriptionRoutes::pause(http::Request request) {
  const auto found = co_await subscriptions_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  const auto paused = co_await subscriptions_.set_paused(request.path_param("id"), true);
  if (!paused) co_return http::error_response(request, paused.error());
  co_return http::json_response(200, encode(view_of(*paused)));
}

Task<http::Response> SubscriptionRoutes::resume(http::Request request) {
  const auto found = co_await subscriptions_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  const auto resumed = co_await subscriptions_.set_paused(request.path_param("id"), false);
  if (!resumed) co_return http::error_response(request, resumed.error());
  co_return http::json_response(200, encode(view_of(*resumed)));
}

Task<http::Response> SubscriptionRoutes::run(http::Request request) {
  const auto found = co_await subscriptions_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  const auto batch = co_await subscriptions_.run_now(request.path_param("id"));
  if (!batch) co_return http::error_response(request, batch.error());
  http::Response response = http::json_response(202, encode(view_of(*batch, clock_.now())));
  response.headers.set("Location", "/api/v1/batches/" + batch->id);
  co_return response;
}

Task<http::Response> SubscriptionRoutes::runs(http::Request request) {
  const auto found = co_await subscriptions_.find(request.path_param("id"));
  if (!found) co_return http::error_response(request, found.error());
  const auto paging = read_paging(request);
  if (!paging) co_return http::error_response(request, 422, paging.error().reason, paging.error().message);
  const auto page = co_await subscriptions_.runs(request.path_param("id"), paging->offset, paging->size);
  if (!page) co_return http::error_response(request, page.error());
  RunListView view{page_numbers(*paging, page->total)};
  view.total = page->total;
  for (const downloads::Batch& batch : page->batches) view.runs.push_back(view_of(batch, clock_.now()));
  co_return http::json_response(200, encode(view));
}

}  // namespace trawl::api
