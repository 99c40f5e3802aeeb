#pragma once

#include <optional>
#include <string>

#include "access/rate_limiter.h"
#include "async/blocking_pool.h"
#include "redis/connection.h"

namespace trawl::access {

// Counters in Redis, shared by all nodes and exact across them: one script
// decides about all meters of a request by the clock of the Redis server.
//
// While Redis cannot be reached each node counts by itself, in `fallback`: a
// limit that is too generous for a while is better than a service that stands
// still.
class RedisRateLimiter final : public RateLimiter {
 public:
  RedisRateLimiter(redis::Address address, MemoryRateLimiter& fallback)
      : address_(std::move(address)), fallback_(fallback), thread_(1) {}
  ~RedisRateLimiter() override { thread_.join(); }

  [[nodiscard]] Task<RateVerdict> take(std::vector<Meter> meters, std::vector<Meter> back) override;

 private:
  // On thread_, which alone uses the connection.
  [[nodiscard]] Result<RateVerdict> ask(const std::vector<Meter>& meters, const std::vector<Meter>& back);
  [[nodiscard]] Result<void> connect();

  redis::Address address_;
  MemoryRateLimiter& fallback_;
  std::chrono::steady_clock::time_point try_again_{};
  bool complained_ = false;
  std::optional<redis::Connection> connection_;
  std::string script_;  // Its digest, once the server knows it.
  BlockingPool thread_;
};

}  // namespace trawl::access
