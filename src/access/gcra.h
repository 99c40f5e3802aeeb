#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace trawl::access {

using Nanos = std::chrono::nanoseconds;

// `count` requests in `period`: after an idle time so many at once, then evenly. What was not used is not
// saved beyond that.
struct Rate {
  std::int64_t count = 0;
  Nanos period{};
  friend bool operator==(const Rate&, const Rate&) = default;
};

// "2/s, 10/min": one or more of number and s, min, h or day. Empty text and "off" are no limit.
[[nodiscard]] Result<std::vector<Rate>> parse_rates(std::string_view text);

struct RateDecision {
  bool allowed = false;
  std::int64_t remaining = 0;  // Further requests that would pass at once.
  Nanos retry_after{};         // When this one would pass; 0 when it did.
  Nanos reset_after{};         // When everything is unused again.
  Nanos next{};                // The state to keep when the request is let through.
};

// The generic cell rate algorithm. All state of a counter is `state`, the time at which it will be unused
// again; 0 is a fresh one. Equivalent to a bucket of `rate.count` that fills evenly, without its drift.
[[nodiscard]] RateDecision decide_rate(const Rate& rate, Nanos state, Nanos now);

// The state after a request that was let through has been given back.
[[nodiscard]] Nanos give_back(const Rate& rate, Nanos state);

}  // namespace trawl::access
