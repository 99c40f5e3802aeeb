#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/usage.h"
#include "api/common_views.h"

namespace trawl::api {

struct UsedView {
  std::string period;
  std::int64_t jobs = 0, bytes = 0;
  std::optional<std::int64_t> jobs_limit, bytes_limit;  // Null: there is none.
};
BOOST_DESCRIBE_STRUCT(UsedView, (), (period, jobs, bytes, jobs_limit, bytes_limit))

struct UsageView {
  std::string key_id;
  UsedView day, month;
};
BOOST_DESCRIBE_STRUCT(UsageView, (), (key_id, day, month))

struct TopUserView {
  std::string key_id;
  std::int64_t downloads = 0;
};
BOOST_DESCRIBE_STRUCT(TopUserView, (), (key_id, downloads))

struct AdminStatsView {
  std::int64_t total_api_keys = 0, active_api_keys = 0;
  std::int64_t total_downloads = 0, successful_downloads = 0, failed_downloads = 0;
  std::int64_t downloads_last_24h = 0, downloads_last_7d = 0;
  std::vector<TopUserView> top_users;
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(AdminStatsView, (),
                      (total_api_keys, active_api_keys, total_downloads, successful_downloads,
                       failed_downloads, downloads_last_24h, downloads_last_7d, top_users, timestamp))

struct RouteView {
  std::string method, path, scope, summary, limit;
  bool signed_link = false, websocket = false;
};
BOOST_DESCRIBE_STRUCT(RouteView, (), (method, path, scope, summary, limit, signed_link, websocket))

struct RoutesView {
  std::vector<RouteView> routes;
};
BOOST_DESCRIBE_STRUCT(RoutesView, (), (routes))

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::UsageView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::AdminStatsView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::RoutesView> {
  static json::value make();
};
