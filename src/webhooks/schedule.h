#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/describe.h"

namespace trawl::webhooks {

// How long a failed delivery waits for its next attempt.
enum class Backoff {
  exponential,  // 1, 2, 4, ... seconds.
  standard,     // 5 s, 5 min, 30 min, 2 h, 5 h, 10 h, 14 h, 20 h, 24 h (Standard Webhooks 1.0.0).
};

struct Schedule {
  int attempts = 3;  // In total.
  Backoff backoff = Backoff::exponential;
};

// What one attempt came to: the receiver's status, or why there is none.
struct Outcome {
  int status = 0;     // 0: no answer.
  std::string error;  // For people; empty when the receiver accepted.
  std::optional<std::chrono::seconds> retry_after = {};
  bool refused = false;  // By our own egress policy: no further attempt can help.
};

enum class Fate { delivered, retry, failed, disable };

struct Verdict {
  Fate fate = Fate::failed;
  Millis delay{0};  // Until the next attempt, for `retry`.
  friend bool operator==(const Verdict&, const Verdict&) = default;
};

// Decides what an attempt means. 2xx is delivered; 410 ends all deliveries to that address; 408, 429,
// 3xx (never followed), 5xx and no answer are tried again; any other 4xx and an address we must not
// reach are final. `attempt` counts from 1; `random` in [0, 1) spreads the delay by 20 % either way;
// Retry-After (at most an hour) is a lower bound.
[[nodiscard]] Verdict judge(const Outcome& outcome, int attempt, const Schedule& schedule, double random);

}  // namespace trawl::webhooks

template <>
struct trawl::EnumText<trawl::webhooks::Backoff> {
  static constexpr std::pair<trawl::webhooks::Backoff, std::string_view> names[] = {
      {trawl::webhooks::Backoff::exponential, "exponential"},
      {trawl::webhooks::Backoff::standard, "standard"}};
};
