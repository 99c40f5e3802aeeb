#include "jobs/breaker.h"

#include <gtest/gtest.h>

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

const SystemTime kNow{Millis{1'767'225'600'000}};
const Error kReset{Errc::unavailable, "reset", "network_error"};

Breaker failed(int times, Breaker breaker = {}) {
  for (int i = 0; i < times; ++i) breaker = after_failure(std::move(breaker), kReset, kNow, {});
  return breaker;
}

TEST(Breaker, OpensAfterFiveFailuresInARowForHalfAMinute) {
  EXPECT_EQ(room(failed(4), kNow), std::nullopt);
  const Breaker open = failed(5);
  EXPECT_EQ(open.state(kNow), Breaker::State::open);
  EXPECT_EQ(room(open, kNow), 0);
  EXPECT_EQ(room(open, kNow + 29s), 0);
  EXPECT_EQ(open.state(kNow + 30s), Breaker::State::half_open);
}

TEST(Breaker, IsAsPatientAsTheRulesSay) {
  const BreakerRules rules{.failures = 2, .open = 5s};
  const Breaker once = after_failure({}, kReset, kNow, rules);
  EXPECT_EQ(once.state(kNow), Breaker::State::closed);
  const Breaker twice = after_failure(once, kReset, kNow, rules);
  EXPECT_EQ(twice.state(kNow + 4s), Breaker::State::open);
  EXPECT_EQ(twice.state(kNow + 5s), Breaker::State::half_open);
}

// So many answers and failures by turns, so that no two failures follow each other.
Breaker by_turns(int pairs, Millis apart) {
  Breaker breaker;
  for (int i = 0; i < pairs; ++i) {
    breaker.failures = 0, ++breaker.window.calls;  // What note_answer() does.
    breaker = after_failure(std::move(breaker), kReset, kNow + i * apart, {});
  }
  return breaker;
}

TEST(Breaker, OpensWhenHalfOfTwentyCallsFailInAMinute) {
  EXPECT_EQ(by_turns(10, 1s).state(kNow + 10s), Breaker::State::closed)
      << "nineteen: the first answer came before the window";
  EXPECT_EQ(by_turns(11, 1s).state(kNow + 11s), Breaker::State::open);
  EXPECT_EQ(by_turns(40, 7s).state(kNow + 40 * 7s), Breaker::State::closed)
      << "a minute has less than twenty";
}

TEST(Breaker, CountsAnewAfterItOpened) {
  Breaker breaker = by_turns(11, 1s);
  EXPECT_EQ(breaker.window.calls, 0);
  breaker.failures = 0, breaker.open_until.reset();
  EXPECT_EQ(after_failure(breaker, kReset, kNow + 45s, {}).state(kNow + 45s), Breaker::State::closed);
}

TEST(Breaker, OpensAgainWithTheFirstFailureOfAProbe) {
  Breaker breaker = by_turns(11, 1s);
  ASSERT_LT(breaker.failures, 5);
  breaker.probe = "job";
  breaker = after_failure(std::move(breaker), kReset, kNow + 50s, {});
  EXPECT_EQ(breaker.state(kNow + 51s), Breaker::State::open);
}

TEST(Breaker, LetsOneProbeThroughWhenHalfOpen) {
  Breaker breaker = failed(5);
  EXPECT_EQ(room(breaker, kNow + 30s), 1);
  breaker.probe = "job";
  breaker.updated_at = kNow + 30s;
  EXPECT_EQ(room(breaker, kNow + 31s), 0);
  EXPECT_EQ(room(breaker, kNow + 30s + kProbePatience), 1) << "the probe was never heard of again";
}

TEST(Breaker, OpensAgainWhenTheProbeFails) {
  Breaker breaker = failed(5);
  breaker.probe = "job";
  breaker = after_failure(std::move(breaker), kReset, kNow + 40s, {});
  EXPECT_EQ(breaker.state(kNow + 69s), Breaker::State::open);
  EXPECT_EQ(breaker.probe, std::nullopt);
}

TEST(Breaker, BlamesTheOriginOnlyForWhatItDid) {
  EXPECT_TRUE(blames_origin({Errc::unavailable, "", "origin_error"}));
  EXPECT_TRUE(blames_origin({Errc::timeout, "", "origin_timeout"}));
  for (const char* reason : {"http_404", "rate_limited", "engine_crashed", "unsupported_url", "no_space"})
    EXPECT_FALSE(blames_origin({Errc::unavailable, "", reason})) << reason;
}

}  // namespace
}  // namespace trawl::jobs
