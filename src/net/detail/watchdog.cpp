#include "net/detail/watchdog.h"

namespace trawl::net::detail {

Watchdog::Watchdog(const asio::any_io_executor& executor, std::function<void()> expire)
    : timer_(executor), expire_(std::move(expire)) {}

void Watchdog::arm(Duration limit) {
  limit_ = limit;
  touch();
  wait();
}

void Watchdog::pause() {
  timer_.expires_at(std::chrono::steady_clock::time_point::max());
}

void Watchdog::wait() {
  timer_.expires_at(deadline_);
  timer_.async_wait([this, alive = std::weak_ptr(alive_)](boost::system::error_code error) {
    // A wait that had already fired when it was replaced arrives without an error.
    if (error || alive.expired() || timer_.expiry() == std::chrono::steady_clock::time_point::max()) return;
    if (std::chrono::steady_clock::now() < deadline_) return wait();
    expire_();
  });
}

}  // namespace trawl::net::detail
