#pragma once

#include <array>
#include <chrono>
#include <cstdint>

namespace trawl::api {

// How many requests came in the last minute, to the second.
class RequestRate {
 public:
  using Time = std::chrono::steady_clock::time_point;

  void note(Time now) {
    advance(now);
    ++counts_[place(last_)];
  }
  [[nodiscard]] std::int64_t per_minute(Time now) {
    advance(now);
    std::int64_t sum = 0;
    for (const std::int64_t count : counts_) sum += count;
    return sum;
  }

 private:
  static std::size_t place(std::int64_t second) { return static_cast<std::size_t>(second % 60); }
  // Forgets the seconds that have become a minute old.
  void advance(Time now) {
    const auto second = std::chrono::duration_cast<std::chrono::seconds>(now.time_since_epoch()).count();
    if (second - last_ > 60) last_ = second - 60;
    while (last_ < second) counts_[place(++last_)] = 0;
  }

  std::array<std::int64_t, 60> counts_{};
  std::int64_t last_ = 0;
};

}  // namespace trawl::api
