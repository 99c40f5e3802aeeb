#include "webhooks/schedule.h"

#include <algorithm>
#include <array>

namespace trawl::webhooks {
namespace {

using namespace std::chrono_literals;

constexpr std::array<std::chrono::seconds, 9> kStandard = {5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h};
constexpr std::chrono::seconds kLongestRetryAfter = 1h;

std::chrono::seconds pause_after(int attempt, Backoff backoff) {
  const std::size_t index = static_cast<std::size_t>(std::max(attempt, 1) - 1);
  if (backoff == Backoff::standard) return kStandard[std::min(index, kStandard.size() - 1)];
  return std::chrono::seconds(1LL << std::min<std::size_t>(index, 16));
}

bool may_pass(int status) {
  return status < 400 || status >= 500 || status == 408 || status == 429;
}

}  // namespace

Verdict judge(const Outcome& outcome, int attempt, const Schedule& schedule, double random) {
  if (outcome.status >= 200 && outcome.status < 300) return {.fate = Fate::delivered};
  if (outcome.status == 410) return {.fate = Fate::disable};
  if (outcome.refused || !may_pass(outcome.status) || attempt >= schedule.attempts)
    return {.fate = Fate::failed};
  const Millis base = pause_after(attempt, schedule.backoff);
  const Millis spread(static_cast<Millis::rep>(static_cast<double>(base.count()) * (0.8 + 0.4 * random)));
  const Millis asked = std::min(outcome.retry_after.value_or(0s), kLongestRetryAfter);
  return {.fate = Fate::retry, .delay = std::max(spread, asked)};
}

}  // namespace trawl::webhooks
