#pragma once

#include <string>
#include <vector>

#include "access/identity.h"
#include "access/rate_limiter.h"

namespace trawl::access {

// What the operator allows, beside the limits of single keys.
struct LimitRules {
  bool enabled = true;
  std::vector<Rate> address;                        // Of one client address, without a good key.
  std::vector<Rate> levels[4];                      // Of one key, by its level.
  std::vector<Rate> anonymous;                      // Of one address where keys are optional.
  std::map<std::string, std::vector<Rate>> routes;  // Of one caller, by Endpoint::limit.
};

// The counters of an address before anything is known about who calls.
[[nodiscard]] std::vector<Meter> address_meters(const LimitRules& rules, const std::string& address);

// The counters of a caller who is known, for one route. Those of a route count by key, or by address
// without one.
[[nodiscard]] std::vector<Meter> caller_meters(const LimitRules& rules, Mode mode, const Identity& identity,
                                               const std::string& address, const std::string& route_limit);

// RateLimit-*, X-RateLimit-* and, for a refusal, Retry-After. `now` is wall-clock time.
[[nodiscard]] http::Headers rate_headers(const RateVerdict& verdict, SystemTime now);

}  // namespace trawl::access
