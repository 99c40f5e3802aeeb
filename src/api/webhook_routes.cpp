#include "api/webhook_routes.h"

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/body.h"
#include "api/ownership.h"
#include "api/queries.h"
#include "net/url.h"

namespace trawl::api {
namespace {

constexpr std::string_view kPrefix = "msg_";

WebhookDeliveryView view_of(const webhooks::Delivery& delivery) {
  return {.id = webhooks::message_id(delivery.id),
          .request_id = delivery.job.nil() ? "" : delivery.job.str(),
          .event = delivery.event,
          .url = net::redact_url(delivery.url),
          .status = delivery.state,
          .attempts = delivery.attempts,
          .next_attempt_at = delivery.state == webhooks::DeliveryState::pending
                                 ? std::optional(delivery.next_at)
                                 : std::nullopt,
          .history = delivery.history,
          .created_at = delivery.created_at,
          .updated_at = delivery.updated_at};
}

Result<webhooks::DeliveryId> id_of(const http::Request& request) {
  std::string_view text = request.path_param("id");
  if (text.starts_with(kPrefix)) text.remove_prefix(kPrefix.size());
  return webhooks::DeliveryId::parse(text);
}

Result<webhooks::DeliveryStore::Filter> filter_of(const http::Request& request) {
  webhooks::DeliveryStore::Filter filter;
  if (const auto status = request.query_param("status")) {
    filter.state = parse_enum<webhooks::DeliveryState>(*status);
    if (!filter.state)
      return fail(Errc::invalid, "status must be one of pending, delivered, failed, disabled",
                  "validation_error");
  }
  if (const auto id = request.query_param("request_id")) {
    const auto job = JobId::parse(*id);
    if (!job) return fail(Errc::invalid, "request_id is not the id of a download", "validation_error");
    filter.job = *job;
  }
  const auto paging = read_paging(request);
  if (!paging) return fail(paging.error());
  filter.offset = paging->offset;
  filter.limit = paging->size;
  return filter;
}

http::Response answer(const http::Request& request, const Result<webhooks::Delivery>& delivery, int status) {
  if (!delivery) return http::error_response(request, delivery.error());
  return http::json_response(status, encode(view_of(*delivery)));
}

http::Contract listing() {
  return {.body = http::Body::none(),
          .query = http::Query::of<DeliveriesQuery, PagingQuery>(),
          .answers = http::Answers::json<WebhookListView>(),
          .refusals = http::Refusals::of({{422, "validation_error"}})};
}

http::Contract sending(http::Body body) {
  return {.body = std::move(body),
          .query = http::Query::none(),
          .answers = http::Answers::json<WebhookDeliveryView>(202),
          .refusals = http::Refusals::of({{400, http::kAnyCode},
                                          {403, http::kAnyCode},
                                          {404, "not_found"},
                                          {409, http::kAnyCode},
                                          {422, http::kAnyCode},
                                          {503, http::kAnyCode}})};
}

}  // namespace

void WebhookRoutes::add_to(http::Router& router) {
  using Answer = Task<http::Response> (WebhookRoutes::*)(http::Request);
  const auto add = [&](const char* method, const char* path, const char* summary, http::Contract contract,
                       Answer answer) {
    router.add({.method = method,
                .path = path,
                .scope = access::kWebhooks,
                .summary = summary,
                .contract = std::move(contract)},
               [this, answer](http::Request request) { return (this->*answer)(std::move(request)); });
  };
  add("GET", "/api/v1/webhooks/deliveries", "List webhook deliveries, newest first.", listing(),
      &WebhookRoutes::list);
  add("GET", "/api/v1/webhooks/deliveries/{id}", "Show a webhook delivery.", shows_one<WebhookDeliveryView>(),
      &WebhookRoutes::show);
  add("POST", "/api/v1/webhooks/deliveries/{id}/replay", "Send a delivery again.",
      sending(http::Body::none()), &WebhookRoutes::replay);
  add("POST", "/api/v1/webhooks/test", "Send a webhook.test event.",
      sending(http::Body::json<WebhookTestRequest>()), &WebhookRoutes::test);
}

Task<http::Response> WebhookRoutes::list(http::Request request) {
  auto filter = filter_of(request);
  if (!filter) co_return http::error_response(request, 422, filter.error().reason, filter.error().message);
  filter->tenant = visible_owner(request.caller);
  const auto page = co_await webhooks_.deliveries().list(*filter);
  if (!page) co_return http::error_response(request, page.error());
  WebhookListView view{page_numbers({filter->offset, filter->limit}, page->total)};
  view.total = page->total;
  for (const webhooks::Delivery& delivery : page->deliveries) view.deliveries.push_back(view_of(delivery));
  co_return http::json_response(200, encode(view));
}

Task<Result<webhooks::Delivery>> WebhookRoutes::find(const http::Request& request) {
  const auto id = id_of(request);
  if (!id) co_return fail(Errc::not_found, id.error().message);
  auto delivery = co_await webhooks_.deliveries().find(*id);
  const auto owner = visible_owner(request.caller);
  if (delivery && owner && delivery->tenant != *owner)
    co_return fail(Errc::not_found, fmt::format("there is no webhook delivery {}", id->str()));
  co_return delivery;
}

Task<http::Response> WebhookRoutes::show(http::Request request) {
  co_return answer(request, co_await find(request), 200);
}

Task<http::Response> WebhookRoutes::replay(http::Request request) {
  const auto found = co_await find(request);
  if (!found) co_return answer(request, found, 202);
  co_return answer(request, co_await webhooks_.deliveries().replay(found->id), 202);
}

Task<http::Response> WebhookRoutes::test(http::Request request) {
  const auto body = read_body<WebhookTestRequest>(request, {});
  if (!body) co_return body.error();
  co_return answer(request, co_await webhooks_.test(body->url, request.caller.owner), 202);
}

}  // namespace trawl::api
