#include "jobs/retry.h"

#include <gtest/gtest.h>

namespace trawl::jobs {
namespace {

const Budgets kBudgets{.failures = 3, .crashes = 3, .lost_workers = 10};
const Error kNetwork{Errc::unavailable, "reset", "network_error"};
const Error kGone{Errc::not_found, "404", "not_found"};
const Error kCrash{Errc::unavailable, "died", std::string(kCrashReason)};
const Error kFull{Errc::no_space, "full", "no_space"};

TEST(JudgeFailure, FailsAtOnceWhatWillNotGoAway) {
  EXPECT_EQ(judge_failure(kGone, 0, 0, kBudgets, 0.5).state, State::failed);
}

TEST(JudgeFailure, BacksOffByThreeWithinTwentyPercent) {
  for (int n = 0; n < 3; ++n) {
    const double expected = 5'000 * std::pow(3.0, n);
    for (const double jitter : {0.0, 0.5, 0.999}) {
      const Verdict verdict = judge_failure(kNetwork, n, 0, kBudgets, jitter);
      EXPECT_EQ(verdict.state, State::retry_wait);
      EXPECT_EQ(verdict.failures, n + 1);
      EXPECT_GE(verdict.delay.count(), expected * 0.8 - 1);
      EXPECT_LE(verdict.delay.count(), expected * 1.2);
    }
  }
}

TEST(JudgeFailure, NeverWaitsLongerThanAQuarterHourAndATwelfth) {
  const Budgets many{.failures = 100};
  EXPECT_LE(judge_failure(kNetwork, 50, 0, many, 0.999).delay, Millis{18 * 60'000});
}

TEST(JudgeFailure, BuriesAJobWhoseFailureBudgetIsUsedUp) {
  EXPECT_EQ(judge_failure(kNetwork, 3, 0, kBudgets, 0.5).state, State::dead);
}

TEST(JudgeFailure, CountsCrashesApartFromFailures) {
  const Verdict second = judge_failure(kCrash, 3, 1, kBudgets, 0.5);
  EXPECT_EQ(second.state, State::retry_wait);
  EXPECT_EQ(second.failures, 3);
  EXPECT_EQ(second.crashes, 2);
  EXPECT_EQ(judge_failure(kCrash, 0, 2, kBudgets, 0.5).state, State::dead);
}

TEST(JudgeFailure, BlamesNobodyForAFullDisk) {
  const Verdict verdict = judge_failure(kFull, 3, 2, kBudgets, 0.5);
  EXPECT_EQ(verdict.state, State::retry_wait);
  EXPECT_EQ(verdict.failures, 3);
  EXPECT_EQ(verdict.crashes, 2);
}

TEST(State, NothingLeavesAFinalState) {
  for (const auto& [from, to] : kTransitions) EXPECT_FALSE(final(from)) << to_text(from);
}

}  // namespace
}  // namespace trawl::jobs
