#include "transfer/parallelism.h"

#include <algorithm>

namespace trawl::transfer {
namespace {

constexpr std::size_t kFirst = 4;
constexpr double kWorthwhile = 1.15;  // A faster round by this factor earns more connections.

}  // namespace

Parallelism::Parallelism(std::size_t most)
    : limit_(std::clamp<std::size_t>(most, 1, kFirst)), most_(std::max<std::size_t>(most, 1)) {}

void Parallelism::finished(std::int64_t bytes, std::chrono::duration<double> now) {
  bytes_ += bytes;
  if (++round_ < limit_) return;
  const double rate = static_cast<double>(bytes_) / std::max((now - round_start_).count(), 1e-6);
  if (rate > kWorthwhile * best_) {
    best_ = rate;
    limit_ = std::min(2 * limit_, most_);
  }
  round_ = 0;
  bytes_ = 0;
  round_start_ = now;
}

void Parallelism::slow_down() {
  limit_ = most_ = std::max<std::size_t>(limit_ / 2, 1);
  round_ = 0;
  bytes_ = 0;
}

std::size_t window_size(std::size_t connections, std::int64_t largest, std::int64_t memory) {
  const std::size_t fit = largest > 0 ? static_cast<std::size_t>(memory / largest) : 2 * connections;
  return std::clamp<std::size_t>(fit, 1, 2 * connections);
}

}  // namespace trawl::transfer
