#pragma once

#include <chrono>
#include <cstdint>

namespace trawl::transfer {

// A bandwidth limit. What arrives is taken as it comes and may leave the bucket in debt; nothing more
// is read until the debt is paid. Not for use on two threads.
class TokenBucket {
 public:
  using Time = std::chrono::steady_clock::time_point;

  explicit TokenBucket(std::int64_t bytes_per_second) : rate_(static_cast<double>(bytes_per_second)) {}

  void take(std::int64_t bytes, Time now);
  // How long nothing may be read; zero when there is no debt.
  [[nodiscard]] std::chrono::steady_clock::duration debt(Time now);

 private:
  void fill(Time now);

  double rate_;
  double tokens_ = 0;
  Time filled_{};
};

}  // namespace trawl::transfer
