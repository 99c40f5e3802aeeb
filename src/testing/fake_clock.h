#pragma once

#include <atomic>

#include "base/clock.h"

// Not in a namespace `testing`, which would hide GoogleTest's.
namespace trawl {

// A clock that stands still until a test moves it. May be read on any thread.
class FakeClock final : public Clock {
 public:
  explicit FakeClock(SystemTime start = SystemTime(Millis(1'767'225'600'000)))  // 2026-01-01
      : millis_(start.time_since_epoch().count()) {}

  [[nodiscard]] SystemTime now() const override { return SystemTime(Millis(millis_.load())); }
  void set(SystemTime time) { millis_ = time.time_since_epoch().count(); }
  void advance(Millis by) { millis_ += by.count(); }

 private:
  std::atomic<Millis::rep> millis_;
};

}  // namespace trawl
