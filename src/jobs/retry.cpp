#include "jobs/retry.h"

#include <algorithm>
#include <cmath>

namespace trawl::jobs {
namespace {

constexpr double kFirstDelay = 5'000;
constexpr double kLongestDelay = 15 * 60'000;

Millis spread(double delay, double jitter) {
  return Millis{static_cast<std::int64_t>(delay * (0.8 + 0.4 * jitter))};
}

Millis backoff(int attempt, double jitter) {
  return spread(std::min(kFirstDelay * std::pow(3.0, attempt), kLongestDelay), jitter);
}

}  // namespace

Verdict judge_failure(const Error& error, int failures, int crashes, const Budgets& budgets, double jitter) {
  if (error.reason == kCrashReason) {
    const bool poison = crashes + 1 >= budgets.crashes;
    return {poison ? State::dead : State::retry_wait, poison ? Millis{0} : spread(1'000, jitter), failures,
            crashes + 1};
  }
  if (error.code == Errc::no_space) return {State::retry_wait, spread(30'000, jitter), failures, crashes};
  if (!retryable(error.code)) return {State::failed, Millis{0}, failures, crashes};
  if (failures >= budgets.failures) return {State::dead, Millis{0}, failures + 1, crashes};
  return {State::retry_wait, backoff(failures, jitter), failures + 1, crashes};
}

}  // namespace trawl::jobs
