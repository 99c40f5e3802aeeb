#pragma once

#include <chrono>

#include <boost/asio/steady_timer.hpp>

#include "async/task.h"

namespace trawl {

// Wakes the coroutines that wait on it. Holds no state: a notify that nobody waits for is lost, so
// a waiter checks its condition before it waits, on the same executor.
class Event {
 public:
  explicit Event(asio::any_io_executor executor)
      : timer_(executor, std::chrono::steady_clock::time_point::max()) {}
  Event(const Event&) = delete;
  Event& operator=(const Event&) = delete;

  void notify_all() { timer_.cancel(); }

  [[nodiscard]] Task<void> wait() { co_await timer_.async_wait(as_result); }

  // Returns when notified or after `limit`, whichever comes first.
  [[nodiscard]] Task<void> wait_for(std::chrono::steady_clock::duration limit);

 private:
  asio::steady_timer timer_;
};

// Suspends the calling coroutine. Throws operation_aborted when its Scope closes.
[[nodiscard]] Task<void> sleep_for(std::chrono::steady_clock::duration time);

}  // namespace trawl
