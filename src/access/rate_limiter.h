#pragma once

#include <functional>
#include <memory>
#include <string>
#include <unordered_map>
#include <vector>

#include "access/gcra.h"
#include "async/task.h"

namespace trawl::access {

// One counter and what it may count to.
struct Meter {
  std::string name;  // "ip:192.0.2.1/minute", "key:Ab12Cd34".
  Rate rate;
  friend bool operator==(const Meter&, const Meter&) = default;
};

struct RateVerdict {
  bool allowed = true;
  // Of the meter that refused; when none did, of the one with least left. Empty without meters.
  std::optional<Meter> meter = {};
  RateDecision decision = {};
};

// Counts requests. take() lets a request through only if all its meters do, and then counts it in all of
// them at once; one that is refused is counted nowhere. `back` are meters that an earlier take() counted
// this request in and that are not to count it after all; they are given back whatever the verdict.
class RateLimiter {
 public:
  virtual ~RateLimiter() = default;
  [[nodiscard]] virtual Task<RateVerdict> take(std::vector<Meter> meters, std::vector<Meter> back) = 0;
};

using NanoClock = std::function<Nanos()>;

// Counters in this process's memory.
class MemoryRateLimiter final : public RateLimiter {
 public:
  explicit MemoryRateLimiter(NanoClock now) : now_(std::move(now)) {}

  [[nodiscard]] Task<RateVerdict> take(std::vector<Meter> meters, std::vector<Meter> back) override;
  [[nodiscard]] RateVerdict take_now(const std::vector<Meter>& meters, const std::vector<Meter>& back);

  [[nodiscard]] std::size_t size() const { return states_.size(); }

 private:
  void forget_unused(Nanos now);

  NanoClock now_;
  std::unordered_map<std::string, Nanos> states_;
  std::size_t sweep_at_ = 1024;
};

// Of the decisions about one request, the one its sender should hear of: a refusal with the longest wait,
// else the least remaining. `decisions` belong to `meters` in order and are not empty.
[[nodiscard]] RateVerdict summarise(const std::vector<Meter>& meters,
                                    const std::vector<RateDecision>& decisions);

}  // namespace trawl::access
