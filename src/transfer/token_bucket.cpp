#include "transfer/token_bucket.h"

#include <algorithm>

namespace trawl::transfer {
namespace {

// What may pile up unused, in seconds of the rate.
constexpr double kBurst = 0.05;

}  // namespace

void TokenBucket::fill(Time now) {
  if (now <= filled_) return;
  const double seconds = std::chrono::duration<double>(now - filled_).count();
  tokens_ = std::min(tokens_ + seconds * rate_, rate_ * kBurst);
  filled_ = now;
}

void TokenBucket::take(std::int64_t bytes, Time now) {
  fill(now);
  tokens_ -= static_cast<double>(bytes);
}

std::chrono::steady_clock::duration TokenBucket::debt(Time now) {
  fill(now);
  if (tokens_ >= 0) return {};
  const std::chrono::duration<double> seconds(-tokens_ / rate_);
  return std::chrono::ceil<std::chrono::milliseconds>(seconds);
}

}  // namespace trawl::transfer
