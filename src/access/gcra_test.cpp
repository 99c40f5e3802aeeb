#include "access/gcra.h"

#include <random>

#include <gtest/gtest.h>

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

// What GCRA stands for, kept the long way: a bucket of whole and broken tokens in exact arithmetic.
// Tokens are counted in nanoseconds times count, so that nothing is ever rounded.
class Bucket {
 public:
  Bucket(Rate rate, Nanos now) : rate_(rate), at_(now), level_(capacity()) {}

  bool take(Nanos now) {
    level_ = std::min(capacity(), level_ + static_cast<__int128>((now - at_).count()) * rate_.count);
    at_ = now;
    if (level_ < cost()) return false;
    level_ -= cost();
    return true;
  }
  // Until one more would pass.
  [[nodiscard]] Nanos wait() const {
    if (level_ >= cost()) return {};
    const __int128 missing = cost() - level_;
    return Nanos(static_cast<std::int64_t>((missing + rate_.count - 1) / rate_.count));
  }
  [[nodiscard]] std::int64_t whole() const { return static_cast<std::int64_t>(level_ / cost()); }

 private:
  [[nodiscard]] __int128 cost() const { return rate_.period.count(); }
  [[nodiscard]] __int128 capacity() const { return cost() * rate_.count; }

  Rate rate_;
  Nanos at_;
  __int128 level_;
};

// Every decision, remaining count and waiting time is that of the bucket, over a million random steps.
TEST(Gcra, AgreesWithATokenBucketOverAMillionSteps) {
  constexpr int kRates = 20, kSteps = 50'000;
  std::mt19937_64 random(20'260'101);
  std::int64_t passed = 0, refused = 0;
  for (int i = 0; i < kRates; ++i) {
    // Periods that the count divides, so that both sides work with whole nanoseconds.
    const std::int64_t count = std::uniform_int_distribution<std::int64_t>(1, 1000)(random);
    const Rate rate{
        .count = count,
        .period = Nanos(count * std::uniform_int_distribution<std::int64_t>(1, 90'000'000)(random))};
    const Nanos interval = rate.period / count;
    Nanos now{1'700'000'000'000'000'000}, state{};
    Bucket bucket(rate, now);
    for (int step = 0; step < kSteps; ++step) {
      // Mostly faster than the rate, often at the same instant, and now and then a long pause.
      const auto kind = random() % 1000;
      if (kind < 600) now += Nanos(random() % static_cast<std::uint64_t>(interval.count() + 1));
      if (kind == 999) now += Nanos(random() % static_cast<std::uint64_t>(rate.period.count() * 2));
      const RateDecision decision = decide_rate(rate, state, now);
      const bool expected = bucket.take(now);
      ASSERT_EQ(decision.allowed, expected)
          << rate.count << " in " << rate.period.count() << " at step " << step;
      if (decision.allowed) {
        state = decision.next;
        ASSERT_EQ(decision.remaining, bucket.whole()) << step;
        ++passed;
      } else {
        ASSERT_EQ(decision.retry_after, bucket.wait()) << step;
        ASSERT_FALSE(decide_rate(rate, state, now + decision.retry_after - 1ns).allowed);
        ASSERT_TRUE(decide_rate(rate, state, now + decision.retry_after).allowed);
        ++refused;
      }
    }
  }
  EXPECT_EQ(passed + refused, 1'000'000);
  EXPECT_GT(passed, 100'000);
  EXPECT_GT(refused, 100'000);
}

TEST(Gcra, LetsTheWholeCountThroughAtOnceAndThenEvenly) {
  const Rate rate{.count = 10, .period = 1min};
  const Nanos start = 100h;
  Nanos state{};
  for (int left = 9; left >= 0; --left) {
    const RateDecision decision = decide_rate(rate, state, start);
    ASSERT_TRUE(decision.allowed);
    EXPECT_EQ(decision.remaining, left);
    state = decision.next;
  }
  EXPECT_EQ(decide_rate(rate, state, start).retry_after, 6s);
  EXPECT_EQ(decide_rate(rate, state, start).reset_after, 60s);
  EXPECT_TRUE(decide_rate(rate, state, start + 6s).allowed);
  // No window begins anew: just before and just after a full minute no more than the rate passes.
  int passed = 0;
  for (Nanos at = start + 59s; at <= start + 61s; at += 10ms) {
    const RateDecision decision = decide_rate(rate, state, at);
    if (decision.allowed) state = decision.next, ++passed;
  }
  EXPECT_LE(passed, 10);
}

TEST(Gcra, ForgivesAStateOfAnotherClockOrALargerLimit) {
  const Rate rate{.count = 2, .period = 2s};
  const RateDecision decision = decide_rate(rate, 1'000'000h, 1h);
  EXPECT_FALSE(decision.allowed);
  EXPECT_EQ(decision.retry_after, 1s);
}

TEST(Gcra, TakesBackWhatWasGivenBack) {
  const Rate rate{.count = 1, .period = 1h};
  const Nanos now = 50h;
  const Nanos used = decide_rate(rate, {}, now).next;
  EXPECT_FALSE(decide_rate(rate, used, now).allowed);
  EXPECT_TRUE(decide_rate(rate, give_back(rate, used), now).allowed);
}

TEST(Rates, AreReadFromText) {
  EXPECT_EQ(parse_rates("2/s, 10/min").value(), (std::vector<Rate>{{2, 1s}, {10, 1min}}));
  EXPECT_EQ(parse_rates("1000/h").value(), (std::vector<Rate>{{1000, 1h}}));
  EXPECT_TRUE(parse_rates("").value().empty());
  EXPECT_TRUE(parse_rates("off").value().empty());
  for (const char* wrong : {"2", "2/", "/s", "0/s", "-1/s", "2/week", "2/s,", "1.5/s", "x/s", "2000000/s"})
    EXPECT_FALSE(parse_rates(wrong)) << wrong;
}

}  // namespace
}  // namespace trawl::access
