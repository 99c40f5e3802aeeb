#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace trawl::transfer {

// How many segments to fetch at once: a few, doubled as long as that brings the bytes in faster,
// halved when the origin objects. Pure.
class Parallelism {
 public:
  explicit Parallelism(std::size_t most);

  [[nodiscard]] std::size_t limit() const { return limit_; }

  // A segment of `bytes` has come; `now` is the time since any fixed moment.
  void finished(std::int64_t bytes, std::chrono::duration<double> now);
  // The origin answered 429 or 503: from now on at most half as many.
  void slow_down();

 private:
  std::size_t limit_, most_;
  std::size_t round_ = 0;  // Segments since the limit was last judged.
  std::int64_t bytes_ = 0;
  std::chrono::duration<double> round_start_{0};
  double best_ = 0;
};

// How many segments from the next one to write on may be under way or wait: at most two for each
// connection and, going by the largest seen, no more than fit in `memory`.
[[nodiscard]] std::size_t window_size(std::size_t connections, std::int64_t largest, std::int64_t memory);

}  // namespace trawl::transfer
