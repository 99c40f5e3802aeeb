#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include "async/task.h"

namespace trawl::transfer {

// Ends requests from outside: requests that carry it fail with Errc::cancelled once it is set. Copies
// are the same stop. May be set and asked on any thread.
class Stop {
 public:
  Stop();
  Stop(const Stop&) = default;
  Stop& operator=(const Stop&) = default;

  void set();
  [[nodiscard]] bool is_set() const;

  // Ends the subscription when dropped; a call that is under way is waited for.
  using Subscription = std::shared_ptr<void>;
  // Calls `call` once when the stop is set, on the thread that sets it, or at once if it is set
  // already. `call` must be quick and must not touch this Stop.
  [[nodiscard]] Subscription on_set(std::function<void()> call) const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

// Waits for `time`, or less when `stop` is set.
[[nodiscard]] Task<void> sleep_unless_stopped(std::chrono::steady_clock::duration time, Stop stop);

}  // namespace trawl::transfer
