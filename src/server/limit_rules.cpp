#include "server/limit_rules.h"

namespace trawl::server {
namespace {

using namespace std::chrono_literals;

std::vector<access::Rate> per(int count, access::Nanos period) {
  return count > 0 ? std::vector<access::Rate>{{count, period}} : std::vector<access::Rate>();
}

}  // namespace

access::LimitRules limit_rules(const LimitsConfig& limits) {
  access::LimitRules rules;
  rules.enabled = limits.enabled;
  rules.address = per(limits.ip_per_minute, 1min);
  for (const access::Rate& rate : per(limits.ip_per_hour, 1h)) rules.address.push_back(rate);
  if (limits.rps > 0)
    rules.address.push_back({.count = limits.burst, .period = access::Nanos(1s) * limits.burst / limits.rps});
  const int levels[] = {limits.level_read_only, limits.level_download, limits.level_admin,
                        limits.level_full_access};
  for (std::size_t level = 0; level < std::size(levels); ++level)
    rules.levels[level] = per(levels[level], 1min);
  rules.anonymous = per(limits.level_anonymous, 1min);
  rules.routes = {{"download", access::parse_rates(limits.route_download).value()},
                  {"playlist", access::parse_rates(limits.route_playlist).value()},
                  {"batch", access::parse_rates(limits.route_batch).value()}};
  return rules;
}

}  // namespace trawl::server
