#pragma once

#include <string>
#include <vector>

#include "api/common_views.h"
#include "api/paging.h"
#include "base/describe.h"
#include "http/router.h"
#include "webhooks/service.h"

namespace trawl::api {

struct WebhookDeliveryView {
  std::string id;          // "msg_...", as sent in `webhook-id`.
  std::string request_id;  // The download; empty for a test.
  std::string event;
  std::string url;  // Without credentials and query.
  webhooks::DeliveryState status = webhooks::DeliveryState::pending;
  int attempts = 0;
  std::optional<SystemTime> next_attempt_at;
  std::vector<webhooks::Attempt> history;
  SystemTime created_at, updated_at;
};
BOOST_DESCRIBE_STRUCT(WebhookDeliveryView, (),
                      (id, request_id, event, url, status, attempts, next_attempt_at, history, created_at,
                       updated_at))

struct WebhookListView : PageNumbers {
  std::vector<WebhookDeliveryView> deliveries;
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(WebhookListView, (PageNumbers), (deliveries, total))

struct WebhookTestRequest {
  std::string url;
};
BOOST_DESCRIBE_STRUCT(WebhookTestRequest, (), (url))

// What was sent to whom, and again: /webhooks/deliveries, /webhooks/test.
class WebhookRoutes {
 public:
  explicit WebhookRoutes(webhooks::Service& webhooks) : webhooks_(webhooks) {}
  void add_to(http::Router& router);

 private:
  // The delivery that `{id}` names, if it exists for the caller.
  Task<Result<webhooks::Delivery>> find(const http::Request& request);
  Task<http::Response> list(http::Request request);
  Task<http::Response> show(http::Request request);
  Task<http::Response> replay(http::Request request);
  Task<http::Response> test(http::Request request);

  webhooks::Service& webhooks_;
};

}  // namespace trawl::api

template <>
struct trawl::Rules<trawl::api::WebhookTestRequest> {
  static constexpr FieldRule fields[] = {
      {.name = "url", .doc = "Where to send a webhook.test event.", .max = 2000, .required = true}};
};
template <>
struct trawl::Example<trawl::api::WebhookTestRequest> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::WebhookDeliveryView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::WebhookListView> {
  static json::value make();
};
