#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "async/task.h"

namespace trawl::net::detail {

// At least so many bytes in every window.
struct Pace {
  std::uint64_t bytes = 0;
  std::chrono::steady_clock::duration window{};
};

// Calls `expire` when nobody has called touch() for a while, or when what it was told of is less than a
// pace. Touching costs one clock reading: the timer is set anew only when it fires early. Destroying the
// watchdog silences it.
class Watchdog {
 public:
  using Duration = std::chrono::steady_clock::duration;

  Watchdog(const asio::any_io_executor& executor, std::function<void()> expire);

  // Starts over with another limit, and without a pace.
  void arm(Duration limit);
  // The same, and from now on the bytes touch() tells of must keep the pace.
  void arm(Duration limit, Pace pace);
  void touch(std::uint64_t bytes = 0) {
    deadline_ = std::chrono::steady_clock::now() + limit_;
    moved_ += bytes;
  }
  void pause();

 private:
  using Time = std::chrono::steady_clock::time_point;

  void wait();
  [[nodiscard]] bool keeps_pace(Time now);

  asio::steady_timer timer_;
  std::function<void()> expire_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Duration limit_{};
  Time deadline_;
  Pace pace_;
  std::uint64_t moved_ = 0;  // In this window,
  Time window_end_ = Time::max();
};

}  // namespace trawl::net::detail
