#include "access/limits.h"

#include <fmt/format.h>

#include "access/client_address.h"

namespace trawl::access {
namespace {

using std::chrono::seconds;

void add_meters(std::vector<Meter>& meters, const std::string& name, const std::vector<Rate>& rates) {
  for (const Rate& rate : rates)
    meters.push_back(
        {fmt::format("{}/{}", name, std::chrono::duration_cast<seconds>(rate.period).count()), rate});
}

std::int64_t whole_seconds(Nanos time) {
  return std::chrono::ceil<seconds>(time).count();
}

}  // namespace

std::vector<Meter> address_meters(const LimitRules& rules, const std::string& address) {
  std::vector<Meter> meters;
  add_meters(meters, "ip:" + address_group(address), rules.address);
  return meters;
}

std::vector<Meter> caller_meters(const LimitRules& rules, Mode mode, const Identity& identity,
                                 const std::string& address, const std::string& route_limit) {
  const std::string& key = identity.caller.key;
  const std::string who = key.empty() ? "ip:" + address_group(address) : "key:" + key;
  std::vector<Meter> meters;
  if (identity.limits.requests_per_minute) {
    add_meters(meters, who, {{*identity.limits.requests_per_minute, std::chrono::minutes(1)}});
  } else if (!key.empty() && identity.level) {
    add_meters(meters, who, rules.levels[static_cast<std::size_t>(*identity.level)]);
  } else if (mode == Mode::optional) {
    add_meters(meters, "anonymous:" + who, rules.anonymous);
  }
  if (const auto found = rules.routes.find(route_limit); found != rules.routes.end())
    add_meters(meters, fmt::format("route:{}:{}", route_limit, who), found->second);
  return meters;
}

http::Headers rate_headers(const RateVerdict& verdict, SystemTime now) {
  http::Headers headers;
  if (!verdict.meter) return headers;
  const Rate& rate = verdict.meter->rate;
  const std::string limit = std::to_string(rate.count), left = std::to_string(verdict.decision.remaining);
  const std::int64_t reset = whole_seconds(verdict.decision.reset_after);
  headers.set("RateLimit-Policy", fmt::format("{};w={}", rate.count, whole_seconds(rate.period)));
  headers.set("RateLimit-Limit", limit);
  headers.set("RateLimit-Remaining", left);
  headers.set("RateLimit-Reset", std::to_string(reset));
  headers.set("X-RateLimit-Limit", limit);
  headers.set("X-RateLimit-Remaining", left);
  headers.set("X-RateLimit-Reset",
              std::to_string(std::chrono::floor<seconds>(now.time_since_epoch()).count() + reset));
  if (!verdict.allowed)
    headers.set("Retry-After",
                std::to_string(std::max<std::int64_t>(1, whole_seconds(verdict.decision.retry_after))));
  return headers;
}

}  // namespace trawl::access
