#pragma once

#include <chrono>
#include <functional>
#include <memory>

#include <boost/asio/steady_timer.hpp>

#include "async/task.h"

namespace trawl::net::detail {

// Calls `expire` when nobody has called touch() for a while. Touching costs one clock reading: the
// timer is set anew only when it fires early. Destroying the watchdog silences it.
class Watchdog {
 public:
  using Duration = std::chrono::steady_clock::duration;

  Watchdog(const asio::any_io_executor& executor, std::function<void()> expire);

  // Starts over with another limit.
  void arm(Duration limit);
  void touch() { deadline_ = std::chrono::steady_clock::now() + limit_; }
  void pause();

 private:
  void wait();

  asio::steady_timer timer_;
  std::function<void()> expire_;
  std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
  Duration limit_{};
  std::chrono::steady_clock::time_point deadline_;
};

}  // namespace trawl::net::detail
