#pragma once

#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/state.h"

namespace trawl::jobs {

// The reason of errors that mean "the process doing the work died", not "the work failed".
inline constexpr std::string_view kCrashReason = "engine_crashed";

struct Budgets {
  int failures = 3;  // Retries after errors that may go away.
  int crashes = 3;   // Crashes of the process that works on the job, before it counts as poison.
  // A worker that vanished took every job it ran with it, so the job is blamed less.
  int lost_workers = 10;
};

struct Verdict {
  State state = State::failed;
  Millis delay{0};   // Before the next attempt, for retry_wait.
  int failures = 0;  // The counters afterwards.
  int crashes = 0;
};

// What happens to a running job after `error`. Permanent errors fail it; errors that may go away
// are retried after 5 s x 3^n, at most 15 min, spread by +-20 % (`jitter` in [0,1)); crashes have a
// budget of their own. A full disk is nobody's failure: it waits without counting.
[[nodiscard]] Verdict judge_failure(const Error& error, int failures, int crashes, const Budgets& budgets,
                                    double jitter);

}  // namespace trawl::jobs
