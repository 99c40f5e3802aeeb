#include "access/rate_limiter.h"

#include <gtest/gtest.h>

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

class RateLimiterTest : public ::testing::Test {
 protected:
  bool take(const std::vector<Meter>& meters, const std::vector<Meter>& back = {}) {
    return limiter.take_now(meters, back).allowed;
  }

  Nanos now = 1000h;
  MemoryRateLimiter limiter{[this] { return now; }};
};

TEST_F(RateLimiterTest, CountsEachNameByItself) {
  const Rate one{.count = 1, .period = 1min};
  EXPECT_TRUE(take({{"a", one}}));
  EXPECT_FALSE(take({{"a", one}}));
  EXPECT_TRUE(take({{"b", one}}));
  now += 1min;
  EXPECT_TRUE(take({{"a", one}}));
}

TEST_F(RateLimiterTest, CountsARequestThatAnyMeterRefusesInNone) {
  const Meter minute{"a/min", {.count = 1, .period = 1min}}, hour{"a/h", {.count = 100, .period = 1h}};
  EXPECT_TRUE(take({minute, hour}));
  for (int i = 0; i < 500; ++i) EXPECT_FALSE(take({minute, hour}));
  now += 1min;
  const RateVerdict verdict = limiter.take_now({hour}, {});
  EXPECT_TRUE(verdict.allowed);
  EXPECT_GE(verdict.decision.remaining, 98);
}

TEST_F(RateLimiterTest, TellsTheStrictestOfSeveralMeters) {
  const Meter minute{"a/min", {.count = 5, .period = 1min}}, hour{"a/h", {.count = 2, .period = 1h}};
  EXPECT_EQ(limiter.take_now({minute, hour}, {}).meter, hour);
  EXPECT_TRUE(take({minute, hour}));
  const RateVerdict refused = limiter.take_now({minute, hour}, {});
  EXPECT_FALSE(refused.allowed);
  EXPECT_EQ(refused.meter, hour);
  EXPECT_EQ(refused.decision.retry_after, 30min);
}

TEST_F(RateLimiterTest, GivesBackWhatWasNotMeantToCount) {
  const Meter meter{"a", {.count = 1, .period = 1h}};
  for (int i = 0; i < 10; ++i) {
    EXPECT_TRUE(take({meter}));
    EXPECT_TRUE(take({}, {meter}));
  }
  EXPECT_TRUE(take({meter}));
  EXPECT_FALSE(take({meter}));
}

TEST_F(RateLimiterTest, ForgetsCountersThatSayNothingAnyMore) {
  const Rate rate{.count = 1, .period = 1s};
  for (int i = 0; i < 100'000; ++i) {
    EXPECT_TRUE(take({{std::to_string(i), rate}}));
    now += 1ms;
  }
  EXPECT_LT(limiter.size(), 4096u);
}

}  // namespace
}  // namespace trawl::access
