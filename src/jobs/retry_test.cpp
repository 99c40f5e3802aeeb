#include "jobs/retry.h"

#include <gtest/gtest.h>

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

const Budgets kBudgets{.failures = 3, .crashes = 3, .lost_workers = 10};
const Error kNetwork{Errc::unavailable, "reset", "network_error"};
const Error kGone{Errc::not_found, "404", "not_found"};
const Error kCrash{Errc::unavailable, "died", std::string(kCrashReason)};
const Error kMemory{Errc::too_large, "ate it", std::string(kMemoryReason)};
const Error kBusy{Errc::rate_limited, "busy", std::string(kBusyReason)};
const Error kFull{Errc::no_space, "full", "no_space"};

TEST(JudgeFailure, FailsAtOnceWhatWillNotGoAway) {
  EXPECT_EQ(judge_failure(kGone, {}, kBudgets, 0.5).state, State::failed);
}

TEST(JudgeFailure, BacksOffByThreeWithinTwentyPercent) {
  for (int n = 0; n < 3; ++n) {
    const double expected = 5'000 * std::pow(3.0, n);
    for (const double jitter : {0.0, 0.5, 0.999}) {
      const Verdict verdict = judge_failure(kNetwork, {n, 0}, kBudgets, jitter);
      EXPECT_EQ(verdict.state, State::retry_wait);
      EXPECT_EQ(verdict.counts.failures, n + 1);
      EXPECT_GE(verdict.delay.count(), expected * 0.8 - 1);
      EXPECT_LE(verdict.delay.count(), expected * 1.2);
    }
  }
}

TEST(JudgeFailure, NeverWaitsLongerThanAQuarterHourAndATwelfth) {
  const Budgets many{.failures = 100};
  EXPECT_LE(judge_failure(kNetwork, {50, 0}, many, 0.999).delay, Millis{18 * 60'000});
}

TEST(JudgeFailure, BuriesAJobWhoseFailureBudgetIsUsedUp) {
  EXPECT_EQ(judge_failure(kNetwork, {3, 0}, kBudgets, 0.5).state, State::dead);
}

TEST(JudgeFailure, CountsCrashesApartFromFailures) {
  for (const Error& crash : {kCrash, kMemory}) {
    const Verdict second = judge_failure(crash, {3, 1}, kBudgets, 0.5);
    EXPECT_EQ(second.state, State::retry_wait);
    EXPECT_EQ(second.counts, (Counts{3, 2}));
    EXPECT_EQ(judge_failure(crash, {0, 2}, kBudgets, 0.5).state, State::dead);
  }
}

TEST(JudgeFailure, BlamesNobodyForAFullDiskOrABusyHost) {
  for (const Error& error : {kFull, kBusy}) {
    const Verdict verdict = judge_failure(error, {3, 2}, kBudgets, 0.5);
    EXPECT_EQ(verdict.state, State::retry_wait);
    EXPECT_EQ(verdict.counts, (Counts{3, 2}));
  }
}

TEST(JudgeFailure, ObeysRetryAfterUpToAnHour) {
  const auto told = [](std::chrono::seconds wait, double jitter) {
    return judge_failure({Errc::rate_limited, "429", "rate_limited"}, {}, kBudgets, jitter, wait).delay;
  };
  EXPECT_GE(told(600s, 0), 600s);
  EXPECT_LE(told(600s, 0.999), 720s);
  EXPECT_GE(told(1s, 0), 4s) << "its own delay is longer";
  EXPECT_EQ(told(24h, 0), 1h);
}

TEST(State, OnlyAPersonLeadsOutOfAFinalState) {
  for (const auto& [by, from, to] : kTransitions) {
    if (final(from)) EXPECT_TRUE(by == Step::retry && to == State::queued) << to_text(from);
  }
}

TEST(State, NothingLeavesCompleted) {
  for (const auto& [by, from, to] : kTransitions) EXPECT_NE(from, State::completed);
}

TEST(State, EveryStateIsReachedAndEveryOneThatIsNotFinalIsLeft) {
  for (const auto& [state, name] : EnumText<State>::names) {
    const bool reached =
        std::ranges::any_of(kTransitions, [&](const Transition& t) { return t.to == state; });
    const bool left = std::ranges::any_of(kTransitions, [&](const Transition& t) { return t.from == state; });
    EXPECT_TRUE(reached) << name;
    EXPECT_TRUE(left || final(state)) << name;
  }
}

}  // namespace
}  // namespace trawl::jobs
