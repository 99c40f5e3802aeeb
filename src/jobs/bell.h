#pragma once

#include <cstdint>

#include "async/event.h"

namespace trawl::jobs {

// Wakes who waits for jobs. Remembers that it was rung, so that a ring between looking for jobs and
// waiting for them is not lost.
class Bell {
 public:
  explicit Bell(asio::any_io_executor executor) : event_(std::move(executor)) {}

  void ring() {
    ++rings_;
    event_.notify_all();
  }
  // To be asked before looking, for wait_for().
  [[nodiscard]] std::uint64_t rings() const { return rings_; }
  // Returns when it was rung since `rings` was asked for, or after `limit`.
  [[nodiscard]] Task<void> wait_for(std::uint64_t rings, std::chrono::steady_clock::duration limit) {
    if (rings == rings_) co_await event_.wait_for(limit);
  }

 private:
  Event event_;
  std::uint64_t rings_ = 0;
};

}  // namespace trawl::jobs
