#include "net/detail/watchdog.h"

#include <algorithm>
#include <utility>

namespace trawl::net::detail {

Watchdog::Watchdog(const asio::any_io_executor& executor, std::function<void()> expire)
    : timer_(executor), expire_(std::move(expire)) {}

void Watchdog::arm(Duration limit) {
  arm(limit, {});
}

void Watchdog::arm(Duration limit, Pace pace) {
  limit_ = limit;
  pace_ = pace;
  moved_ = 0;
  window_end_ = pace.bytes > 0 ? std::chrono::steady_clock::now() + pace.window : Time::max();
  touch();
  wait();
}

void Watchdog::pause() {
  timer_.expires_at(Time::max());
}

bool Watchdog::keeps_pace(Time now) {
  if (now < window_end_) return true;
  window_end_ = now + pace_.window;
  return std::exchange(moved_, 0) >= pace_.bytes;
}

void Watchdog::wait() {
  timer_.expires_at(std::min(deadline_, window_end_));
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    // A wait that had already fired when it was replaced arrives without an error.
    if (error || alive.expired() || timer_.expiry() == Time::max()) return;
    const auto now = std::chrono::steady_clock::now();
    if (now < deadline_ && keeps_pace(now)) return wait();
    expire_();
  });
}

}  // namespace trawl::net::detail
