#include "api/subscription_views.h"

namespace trawl::api {
namespace {

json::object without_defaults(const downloads::SubscriptionRequest& request) {
  const json::value all = encode(request), plain = encode(downloads::SubscriptionRequest{});
  json::object out;
  for (const auto& [name, value] : all.as_object()) {
    if (value != plain.as_object().at(name)) out[name] = value;
  }
  return out;
}

}  // namespace

SubscriptionView view_of(const downloads::Subscription& subscription) {
  const downloads::SubscriptionRequest& request = subscription.request;
  SubscriptionView view;
  view.id = view.subscription_id = subscription.id;
  view.name = request.name;
  view.url = request.url.value_or("");
  view.source = downloads::source_of(request);
  view.status = request.paused ? "paused" : "active";
  view.interval_sec = request.interval_sec;
  view.cron = request.cron;
  view.next_run_at = subscription.next_run_at;
  view.last_run_at = subscription.last_run_at;
  view.runs = subscription.runs;
  view.entries = subscription.entries;
  view.last_run = subscription.last_run;
  view.created_at = subscription.created_at;
  view.updated_at = subscription.updated_at;
  view.request = without_defaults(request);
  return view;
}

}  // namespace trawl::api
