#pragma once

#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"
#include "jobs/state.h"

namespace trawl::jobs {

// The reason of errors that mean "the process doing the work died", not "the work failed".
inline constexpr std::string_view kCrashReason = "engine_crashed";
// It needed more memory than it may have.
inline constexpr std::string_view kMemoryReason = "out_of_memory";
// Other downloads have all connections to the host that there may be.
inline constexpr std::string_view kBusyReason = "host_busy";

// What is recorded with an expired job.
[[nodiscard]] inline Error deadline_error() {
  return {Errc::timeout, "the deadline of this download has passed", "deadline_passed"};
}

struct Budgets {
  int failures = 4;  // Retries after errors that may go away.
  int crashes = 3;   // Crashes of the process that works on the job, before it counts as poison.
  // A worker that vanished took every job it ran with it, so the job is blamed less.
  int lost_workers = 10;
};

// What an attempt may cost. Each has a budget of its own.
struct Counts {
  int failures = 0;
  int crashes = 0;
  friend bool operator==(const Counts&, const Counts&) = default;
};

struct Verdict {
  State state = State::failed;
  Millis delay{0};  // Before the next attempt, for retry_wait.
  Counts counts;    // Afterwards.
};

// What happens to a running job after `error`. Permanent errors fail it; errors that may go away are
// retried after 5 s x 3^n, at most 15 min, spread by +-20 % (`jitter` in [0,1)), but not before the
// origin's Retry-After, of which at most an hour counts. Crashes, also for want of memory, are
// counted apart. A full disk and a host that other downloads keep busy are nobody's
// failure: such a job waits without counting.
[[nodiscard]] Verdict judge_failure(const Error& error, Counts before, const Budgets& budgets, double jitter,
                                    std::optional<std::chrono::seconds> retry_after = {});

}  // namespace trawl::jobs
