#include "jobs/retry.h"

#include <algorithm>
#include <cmath>

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

constexpr double kFirstDelay = 5'000;
constexpr double kLongestDelay = 15 * 60'000;
constexpr std::chrono::seconds kLongestRetryAfter = 1h;

Millis spread(double delay, double jitter) {
  return Millis{static_cast<std::int64_t>(delay * (0.8 + 0.4 * jitter))};
}

Millis backoff(int attempt, double jitter) {
  return spread(std::min(kFirstDelay * std::pow(3.0, attempt), kLongestDelay), jitter);
}

// Those who were told the same time still come back one after another, and none before it.
Millis delay_after(int attempt, double jitter, std::optional<std::chrono::seconds> retry_after) {
  const Millis own = backoff(attempt, jitter);
  if (!retry_after) return own;
  const Millis told = std::min<Millis>(*retry_after, kLongestRetryAfter);
  return std::max(own,
                  told + Millis{static_cast<std::int64_t>(static_cast<double>(told.count()) * 0.2 * jitter)});
}

bool is_crash(const Error& error) {
  return error.reason == kCrashReason || error.reason == kMemoryReason;
}

}  // namespace

Verdict judge_failure(const Error& error, Counts before, const Budgets& budgets, double jitter,
                      std::optional<std::chrono::seconds> retry_after) {
  const auto [failures, crashes] = before;
  if (is_crash(error)) {
    const bool poison = crashes + 1 >= budgets.crashes;
    return {poison ? State::dead : State::retry_wait,
            poison ? 0ms : spread(1'000, jitter),
            {failures, crashes + 1}};
  }
  if (error.code == Errc::no_space || error.reason == kBusyReason)
    return {State::retry_wait, spread(30'000, jitter), before};
  if (!retryable(error.code)) return {State::failed, 0ms, before};
  if (failures >= budgets.failures) return {State::dead, 0ms, {failures + 1, crashes}};
  return {State::retry_wait, delay_after(failures, jitter, retry_after), {failures + 1, crashes}};
}

}  // namespace trawl::jobs
