#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/describe.h"
#include "base/result.h"

namespace trawl::jobs {

// When an origin host that fails is left alone, and for how long: after so many failures in a row, or when
// so large a part of at least so many calls within the window failed.
struct BreakerRules {
  int failures = 5;  // In a row.
  int failed_percent = 50;
  int min_calls = 20;
  Millis window{60'000};
  Millis open{30'000};
};

// What is known of an origin host that failed lately. Closed until it failed as often as the rules say, then
// open for as long; after that one job at a time is let through to see whether it answers again.
struct Breaker {
  enum class State { closed, open, half_open };

  // Begins with a failure and lasts as long as the rules say; the next failure begins another one.
  struct Window {
    SystemTime start;
    int calls = 0, failures = 0;
  };

  std::string origin;
  int failures = 0;  // In a row.
  Window window;
  std::optional<SystemTime> open_until;
  std::optional<std::string> probe;  // The job that was let through.
  std::string last_error;
  SystemTime updated_at;

  [[nodiscard]] State state(SystemTime now) const {
    if (!open_until) return State::closed;
    return now < *open_until ? State::open : State::half_open;
  }
};

// A probe that says nothing for so long is forgotten.
inline constexpr Millis kProbePatience{120'000};

// Whether the error means that the origin host does not answer, or answers that it is broken.
[[nodiscard]] bool blames_origin(const Error& error);

// The breaker after one more such failure. A failed probe opens it again.
[[nodiscard]] Breaker after_failure(Breaker before, const Error& error, SystemTime now,
                                    const BreakerRules& rules);

// How many more jobs of its origin may start now; nothing: as many as there are.
[[nodiscard]] std::optional<int> room(const Breaker& breaker, SystemTime now);

}  // namespace trawl::jobs

template <>
struct trawl::EnumText<trawl::jobs::Breaker::State> {
  using S = trawl::jobs::Breaker::State;
  static constexpr std::pair<S, std::string_view> names[] = {
      {S::closed, "closed"}, {S::open, "open"}, {S::half_open, "half_open"}};
};
