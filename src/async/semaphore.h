#pragma once

#include <cstddef>
#include <optional>
#include <utility>

#include "async/event.h"

namespace trawl {

// At most `permits` holders at a time, for coroutines of one executor.
class Semaphore {
 public:
  Semaphore(asio::any_io_executor executor, std::size_t permits) : free_(permits), changed_(executor) {}
  Semaphore(const Semaphore&) = delete;
  Semaphore& operator=(const Semaphore&) = delete;

  // Gives its permit back when dropped.
  class Permit {
   public:
    explicit Permit(Semaphore* owner) : owner_(owner) {}
    Permit(Permit&& other) noexcept : owner_(std::exchange(other.owner_, nullptr)) {}
    Permit& operator=(Permit&&) = delete;
    ~Permit() {
      if (!owner_) return;
      ++owner_->free_;
      owner_->changed_.notify_all();
    }

   private:
    Semaphore* owner_;
  };

  [[nodiscard]] std::optional<Permit> try_acquire() {
    if (free_ == 0) return std::nullopt;
    --free_;
    return Permit(this);
  }

  [[nodiscard]] Task<Permit> acquire() {
    while (true) {
      if (auto permit = try_acquire()) co_return std::move(*permit);
      co_await changed_.wait();
    }
  }

  // Notified when a permit came back, and by those who want waiters to look again.
  [[nodiscard]] Event& changed() { return changed_; }

 private:
  std::size_t free_;
  Event changed_;
};

}  // namespace trawl
