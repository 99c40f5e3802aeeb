#include "access/rate_limiter.h"

#include <algorithm>

namespace trawl::access {

RateVerdict summarise(const std::vector<Meter>& meters, const std::vector<RateDecision>& decisions) {
  std::size_t chosen = 0;
  for (std::size_t i = 1; i < decisions.size(); ++i) {
    const RateDecision &best = decisions[chosen], &other = decisions[i];
    const bool stricter = best.allowed != other.allowed ? !other.allowed
                          : other.allowed               ? other.remaining < best.remaining
                                                        : other.retry_after > best.retry_after;
    if (stricter) chosen = i;
  }
  return {.allowed = decisions[chosen].allowed, .meter = meters[chosen], .decision = decisions[chosen]};
}

Task<RateVerdict> MemoryRateLimiter::take(std::vector<Meter> meters, std::vector<Meter> back) {
  co_return take_now(meters, back);
}

RateVerdict MemoryRateLimiter::take_now(const std::vector<Meter>& meters, const std::vector<Meter>& back) {
  const Nanos now = now_();
  for (const Meter& meter : back) {
    if (const auto found = states_.find(meter.name); found != states_.end())
      found->second = give_back(meter.rate, found->second);
  }
  if (meters.empty()) return {};
  std::vector<RateDecision> decisions;
  for (const Meter& meter : meters) {
    const auto found = states_.find(meter.name);
    decisions.push_back(decide_rate(meter.rate, found == states_.end() ? Nanos() : found->second, now));
  }
  RateVerdict verdict = summarise(meters, decisions);
  if (!verdict.allowed) return verdict;
  for (std::size_t i = 0; i < meters.size(); ++i) states_[meters[i].name] = decisions[i].next;
  if (states_.size() >= sweep_at_) forget_unused(now);
  return verdict;
}

// A counter whose time has come says nothing any more. Sweeping when the table has doubled costs each
// request a constant share.
void MemoryRateLimiter::forget_unused(Nanos now) {
  std::erase_if(states_, [now](const auto& entry) { return entry.second <= now; });
  sweep_at_ = std::max<std::size_t>(1024, states_.size() * 2);
}

}  // namespace trawl::access
