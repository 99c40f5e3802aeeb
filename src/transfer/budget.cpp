#include "transfer/budget.h"

#include <algorithm>
#include <cmath>
#include <random>

#include <fmt/format.h>

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

constexpr auto kLongestWait = 60s;
constexpr auto kMeasureEvery = 200ms;
constexpr double kSmoothing = 0.2;  // Share of the newest measurement in the speed shown.

std::chrono::milliseconds wait_before(int attempt, std::optional<std::chrono::seconds> retry_after) {
  static thread_local std::minstd_rand random{std::random_device{}()};
  const double jitter = std::uniform_real_distribution(0.8, 1.2)(random);
  if (retry_after) return *retry_after + std::chrono::milliseconds(static_cast<int>(jitter * 100));
  const double millis = 500 * std::pow(3.0, std::min(attempt, 6) - 1) * jitter;
  return std::min<std::chrono::milliseconds>(std::chrono::milliseconds(static_cast<int>(millis)),
                                             kLongestWait);
}

}  // namespace

Budget::Budget(asio::any_io_executor executor, MoveLimits limits, std::size_t parts, OriginMemory* origins)
    : connections(std::move(executor), std::max<std::size_t>(limits.connections, 1)),
      limits_(limits),
      origins_(origins),
      parts_(parts) {
  if (limits_.bytes_per_second > 0) rate_ = std::make_shared<TokenBucket>(limits_.bytes_per_second);
}

std::size_t Budget::connections_per_part() const {
  return std::max<std::size_t>(limits_.connections / std::max<std::size_t>(parts_.size(), 1), 1);
}

bool Budget::take_bytes(std::int64_t bytes) {
  const std::int64_t taken = taken_.fetch_add(bytes) + bytes;
  return limits_.max_bytes == 0 || taken <= limits_.max_bytes;
}

void Budget::add(std::size_t part, std::int64_t bytes) {
  parts_[part].bytes += bytes;
}

void Budget::set_total(std::size_t part, std::optional<std::int64_t> total) {
  parts_[part].total = total.value_or(-1);
}

Task<Result<void>> Budget::back_off(std::size_t part, int attempt,
                                    std::optional<std::chrono::seconds> retry_after, Error why, Stop stop) {
  if (attempt > limits_.retries || (retry_after && *retry_after > kLongestWait)) {
    parts_[part].told_to_wait = retry_after;
    co_return fail(std::move(why));
  }
  co_await sleep_unless_stopped(wait_before(attempt, retry_after), stop);
  if (stop.is_set()) co_return fail(Errc::cancelled, "the transfer was stopped");
  co_return Result<void>();
}

void Budget::smooth(std::int64_t bytes, std::chrono::steady_clock::time_point now) {
  if (!measured_) {
    measured_ = now;
    measured_bytes_ = bytes;
    return;
  }
  if (now - *measured_ < kMeasureEvery) return;
  const double seconds = std::chrono::duration<double>(now - *measured_).count();
  const double speed = static_cast<double>(std::max<std::int64_t>(bytes - measured_bytes_, 0)) / seconds;
  speed_ = speed_ ? *speed_ + kSmoothing * (speed - *speed_) : speed;
  measured_ = now;
  measured_bytes_ = bytes;
}

media::Progress Budget::progress(std::chrono::steady_clock::time_point now) {
  std::int64_t bytes = 0;
  std::int64_t total = 0;
  bool known = true;
  for (const Part& part : parts_) {
    bytes += part.bytes;
    if (part.total < 0) known = false;
    total += part.total;
  }
  smooth(bytes, now);
  shown_ = std::max(shown_, known ? std::min(bytes, total) : bytes);
  media::Progress out;
  out.downloaded_bytes = shown_;
  if (known) out.total_bytes = std::max(total, shown_);
  out.speed = speed_;
  if (known && speed_ && *speed_ > 0) out.eta = static_cast<double>(*out.total_bytes - shown_) / *speed_;
  return out;
}

}  // namespace trawl::transfer
