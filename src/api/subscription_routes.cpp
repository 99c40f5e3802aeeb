#include "api/subscription_routes.h"

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/body.h"
#include "api/ownership.h"
#include "api/paging.h"
#include "api/preview_views.h"
#include "api/queries.h"
#include "api/subscription_views.h"

namespace trawl::api {
namespace {

http::Response refusal(const http::Request& request, const Error& error) {
  if (error.code != Errc::invalid) return http::error_response(request, error);
  return http::error_response(request, 422, error.reason, error.message,
                              {{{"body"}, error.message, "value_error"}});
}

// A change may give some of the members only.
struct SubscriptionChangeBody : downloads::SubscriptionRequest {};
BOOST_DESCRIBE_STRUCT(SubscriptionChangeBody, (downloads::SubscriptionRequest), ())

template <class View>
http::Contract listing(http::Refusals refusals) {
  return {.body = http::Body::none(),
          .query = http::Query::of<PagingQuery>(),
          .answers = http::Answers::json<View>(),
          .refusals = std::move(refusals)};
}

template <class SubscriptionBody>
http::Contract taking(int status) {
  return {.body = http::Body::json<SubscriptionBody>(),
          .query = http::Query::none(),
          .answers = http::Answers::json<SubscriptionView>(status),
          .refusals = http::Refusals::of({{403, http::kAnyCode},
                                          {404, "not_found"},
                                          {413, http::kAnyCode},
                                          {422, http::kAnyCode},
                                          {429, http::kAnyCode},
                                          {503, http::kAnyCode}})};
}

http::Contract creating() {
  http::Contract contract = taking<downloads::SubscriptionRequest>(201);
  contract.refusals.all.insert(contract.refusals.all.begin(),
                               {{400, "invalid_idempotency_key"}, {409, "idempotency_in_flight"}});
  contract.headers = {kIdempotencyKeyHeader};
  return contract;
}

http::Contract running() {
  return {.body = http::Body::none(),
          .query = http::Query::none(),
          .answers = http::Answers::json<BatchView>(202),
          .refusals = http::Refusals::of(
              {{404, "not_found"}, {409, http::kAnyCode}, {429, http::kAnyCode}, {503, http::kAnyCode}})};
}

}  // namespace
}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::SubscriptionChangeBody> {
  static json::value make() { return {{"interval_sec", 7200}}; }
};

namespace trawl::api {

void SubscriptionRoutes::add_to(http::Router& router) {
  const auto on = [&](const char* method, const std::string& path, http::Contract contract,
                      Task<http::Response> (SubscriptionRoutes::*member)(http::Request)) {
    const bool reads = std::string_view(method) == "GET";
    router.add({.method = method,
                .path = "/api/v1/subscriptions" + path,
                .scope = reads ? access::kDownloadsRead : access::kDownloadsWrite,
                .summary = reads ? "Show subscriptions." : "Create or change subscriptions.",
                .contract = std::move(contract)},
               [this, member](http::Request request) { return own(std::move(request), member); });
  };
  on("POST", "", creating(), &SubscriptionRoutes::create);
  on("GET", "", listing<SubscriptionListView>(http::Refusals::of({{422, "validation_error"}})),
     &SubscriptionRoutes::list);
  on("GET", "/{id}", shows_one<SubscriptionView>(), &SubscriptionRoutes::show);
  on("PUT", "/{id}", taking<downloads::SubscriptionRequest>(200), &SubscriptionRoutes::replace);
  on("PATCH", "/{id}", taking<SubscriptionChangeBody>(200), &SubscriptionRoutes::patch);
  on("DELETE", "/{id}", shows_one<DeletedView>(), &SubscriptionRoutes::remove);
  on("POST", "/{id}/pause", shows_one<SubscriptionView>(), &SubscriptionRoutes::pause);
  on("POST", "/{id}/resume", shows_one<SubscriptionView>(), &SubscriptionRoutes::resume);
  on("POST", "/{id}/run", running(), &SubscriptionRoutes::run);
  on("GET", "/{id}/runs",
     listing<RunListView>(http::Refusals::of({{404, "not_found"}, {422, "validation_error"}})),
     &SubscriptionRoutes::runs);
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
  const Idempotent::Work work = [&](Idempotent::Keep keep) -> Task<http::Response> {
    auto body = read_body<downloads::SubscriptionRequest>(request, {});
    if (!body) co_return std::move(body.error());
    http::Response response;
    const auto made = co_await subscriptions_.add(
        std::move(*body), request.caller.owner,
        [&](db::Transaction& transaction, const downloads::Subscription& subscription) {
          response = http::json_response(201, encode(view_of(subscription)));
          response.headers.set("Location", "/api/v1/subscriptions/" + subscription.id);
          return keep(transaction, response);
        });
    if (!made) co_return refusal(request, made.error());
    co_return response;
  };
  co_return co_await idempotent_.run(request, request.caller.owner, work);
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
  co_return http::json_response(
      200, encode(DeletedView{id, "subscription", "deleted",
                              "the subscription is deleted; its downloads stay", clock_.now()}));
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
