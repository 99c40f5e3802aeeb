#include "webhooks/schedule.h"

#include <vector>

#include <gtest/gtest.h>

namespace trawl::webhooks {
namespace {

using namespace std::chrono_literals;

TEST(Schedule, SaysWhatAnAnswerMeans) {
  struct Case {
    int status;
    bool refused;
    Fate fate;
  };
  for (const Case& c : std::vector<Case>{{200, false, Fate::delivered},
                                         {204, false, Fate::delivered},
                                         {299, false, Fate::delivered},
                                         {301, false, Fate::retry},
                                         {307, false, Fate::retry},
                                         {400, false, Fate::failed},
                                         {404, false, Fate::failed},
                                         {408, false, Fate::retry},
                                         {410, false, Fate::disable},
                                         {429, false, Fate::retry},
                                         {500, false, Fate::retry},
                                         {503, false, Fate::retry},
                                         {0, false, Fate::retry},
                                         {0, true, Fate::failed}}) {
    EXPECT_EQ(judge({.status = c.status, .error = "x", .refused = c.refused}, 1, {}, 0.5).fate, c.fate)
        << c.status;
  }
}

TEST(Schedule, GivesUpAfterTheLastAttempt) {
  const Schedule schedule{.attempts = 3};
  EXPECT_EQ(judge({.status = 500}, 2, schedule, 0).fate, Fate::retry);
  EXPECT_EQ(judge({.status = 500}, 3, schedule, 0).fate, Fate::failed);
  EXPECT_EQ(judge({.status = 200}, 3, schedule, 0).fate, Fate::delivered);
}

TEST(Schedule, DelaysDoubleOrFollowTheStandard) {
  const auto delays = [](Backoff backoff) {
    std::vector<Millis> out;
    for (int attempt = 1; attempt < 10; ++attempt)
      out.push_back(judge({.status = 500}, attempt, {.attempts = 10, .backoff = backoff}, 0.5).delay);
    return out;
  };
  EXPECT_EQ(delays(Backoff::exponential), (std::vector<Millis>{1s, 2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s}));
  EXPECT_EQ(delays(Backoff::standard), (std::vector<Millis>{5s, 5min, 30min, 2h, 5h, 10h, 14h, 20h, 24h}));
}

TEST(Schedule, SpreadsByAFifthEitherWay) {
  EXPECT_EQ(judge({.status = 500}, 1, {}, 0).delay, 800ms);
  EXPECT_LT(judge({.status = 500}, 1, {}, 0.999).delay, 1201ms);
  EXPECT_GT(judge({.status = 500}, 1, {}, 0.999).delay, 1190ms);
}

TEST(Schedule, ObeysRetryAfterUpToAnHour) {
  EXPECT_EQ(judge({.status = 429, .retry_after = 90s}, 1, {}, 0).delay, 90s);
  EXPECT_EQ(judge({.status = 503, .retry_after = 24h}, 1, {}, 0).delay, 1h);
  EXPECT_EQ(judge({.status = 503, .retry_after = 0s}, 1, {}, 0).delay, 800ms);
}

}  // namespace
}  // namespace trawl::webhooks
