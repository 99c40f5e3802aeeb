#pragma once

#include "base/clock.h"

namespace trawl::jobs {

inline constexpr int kLowestPriority = 1, kHighestPriority = 10;

// Waiting this long is worth one priority: from 1 to 10 in ten minutes, so nothing waits for ever
// behind what is more urgent.
inline constexpr Millis kAgeing{600'000 / (kHighestPriority - kLowestPriority)};

// The key a queue is ordered by, lowest first: who waits since `ready` with `priority`. Because all
// jobs age alike it never has to be computed again.
[[nodiscard]] constexpr std::int64_t turn_of(SystemTime ready, int priority) {
  return (ready - kAgeing * priority).time_since_epoch().count();
}

}  // namespace trawl::jobs
