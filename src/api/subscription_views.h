#pragma once

#include "api/batch_views.h"
#include "downloads/subscription.h"

namespace trawl::api {

struct SubscriptionView {
  std::string id, subscription_id;  // The same.
  std::string name;
  std::string url;
  downloads::BatchSource source = downloads::BatchSource::playlist;
  std::string status;  // active, paused
  std::optional<std::int64_t> interval_sec;
  std::optional<std::string> cron;
  std::optional<SystemTime> next_run_at, last_run_at;
  std::int64_t runs = 0;
  std::int64_t entries = 0;
  std::optional<std::string> last_run;  // A batch.
  SystemTime created_at, updated_at;
  json::object request;  // What was asked for, without what is the default.
};
BOOST_DESCRIBE_STRUCT(SubscriptionView, (),
                      (id, subscription_id, name, url, source, status, interval_sec, cron, next_run_at,
                       last_run_at, runs, entries, last_run, created_at, updated_at, request))

struct SubscriptionListView : PageNumbers {
  std::vector<SubscriptionView> subscriptions;
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(SubscriptionListView, (PageNumbers), (subscriptions, total))

struct RunListView : PageNumbers {
  std::vector<BatchView> runs;
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(RunListView, (PageNumbers), (runs, total))

[[nodiscard]] SubscriptionView view_of(const downloads::Subscription& subscription);

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::downloads::SubscriptionRequest> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::SubscriptionView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::SubscriptionListView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::RunListView> {
  static json::value make();
};
