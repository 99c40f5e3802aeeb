#include "access/redis_rate_limiter.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "base/log.h"
#include "testing/redis_server.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

Nanos steady() {
  return std::chrono::steady_clock::now().time_since_epoch();
}

class RedisRateLimiterTest : public ::testing::Test {
 protected:
  RedisRateLimiterTest() { configure_log(LogLevel::off, LogFormat::json); }

  RateVerdict take(RateLimiter& limiter, std::vector<Meter> meters, std::vector<Meter> back = {}) {
    return run_to_end(context, limiter.take(std::move(meters), std::move(back)));
  }

  asio::io_context context;
  RedisServer server;
  MemoryRateLimiter memory_a{steady}, memory_b{steady};
  RedisRateLimiter a{server.address(), memory_a}, b{server.address(), memory_b};
};

TEST_F(RedisRateLimiterTest, LetsTwoNodesThroughNoMoreThanOne) {
  const Meter meter{"key:x", {.count = 100, .period = 1h}};
  int passed = 0;
  for (int i = 0; i < 200; ++i) passed += take(i % 2 == 0 ? a : b, {meter}).allowed ? 1 : 0;
  EXPECT_EQ(passed, 100);
}

TEST_F(RedisRateLimiterTest, AnswersAsTheOneInMemoryDoes) {
  const std::vector<Meter> meters{{"k/min", {.count = 3, .period = 1min}},
                                  {"k/h", {.count = 5, .period = 1h}}};
  for (int i = 0; i < 8; ++i) {
    const RateVerdict shared = take(a, meters), own = memory_b.take_now(meters, {});
    EXPECT_EQ(shared.allowed, own.allowed) << i;
    EXPECT_EQ(shared.meter, own.meter) << i;
    EXPECT_EQ(shared.decision.remaining, own.decision.remaining) << i;
    EXPECT_NEAR(static_cast<double>(shared.decision.retry_after.count()),
                static_cast<double>(own.decision.retry_after.count()), 1e9);
    EXPECT_NEAR(static_cast<double>(shared.decision.reset_after.count()),
                static_cast<double>(own.decision.reset_after.count()), 1e9);
  }
}

TEST_F(RedisRateLimiterTest, CountsARefusedRequestNowhereAndGivesBack) {
  const Meter small{"small", {.count = 1, .period = 1h}}, large{"large", {.count = 10, .period = 1h}};
  EXPECT_TRUE(take(a, {small, large}).allowed);
  for (int i = 0; i < 20; ++i) EXPECT_FALSE(take(b, {small, large}).allowed);
  EXPECT_EQ(take(a, {large}).decision.remaining, 8);
  take(b, {}, {small});
  EXPECT_TRUE(take(a, {small}).allowed);
}

TEST_F(RedisRateLimiterTest, GoesOnByItselfWhileRedisIsAwayAndSharesAgainAfterwards) {
  const Meter meter{"m", {.count = 2, .period = 1h}};
  EXPECT_TRUE(take(a, {meter}).allowed);
  server.stop();
  EXPECT_TRUE(take(a, {meter}).allowed);
  EXPECT_TRUE(take(a, {meter}).allowed);
  EXPECT_FALSE(take(a, {meter}).allowed);
  server.start();
  const auto deadline = std::chrono::steady_clock::now() + 20s;
  bool shared = false;  // The new Redis has forgotten everything, so the first
                        // shared answer is a yes.
  while (!shared && std::chrono::steady_clock::now() < deadline) {
    shared = take(a, {meter}).allowed;
    std::this_thread::sleep_for(20ms);
  }
  EXPECT_TRUE(shared);
}

}  // namespace
}  // namespace trawl::access
