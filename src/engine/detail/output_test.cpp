#include "engine/detail/output.h"

#include <gtest/gtest.h>

namespace trawl::engine {
namespace {

using namespace std::chrono_literals;

TEST(OutputTail, CutsLinesAcrossReads) {
  OutputTail tail;
  EXPECT_TRUE(tail.feed("first ha").empty());
  EXPECT_EQ(tail.feed("lf\n\nprogress 1\rsecond"), (std::vector<std::string>{"first half", "progress 1"}));
  EXPECT_EQ(tail.last_lines(2), (std::vector<std::string>{"progress 1", "second"}));
}

TEST(OutputTail, BoundsAnEndlessLineAndWhatItKeeps) {
  OutputTail tail;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(tail.feed(std::string(10'000, 'x')).empty());
  EXPECT_EQ(tail.feed("\n").at(0).size(), OutputTail::kMaxLine);
  EXPECT_LE(tail.last_lines(1).at(0).size(), OutputTail::kMaxLine);
}

TEST(OutputTail, MakesValidText) {
  OutputTail tail;
  EXPECT_EQ(tail.feed("a\xff\n").at(0), "a\xef\xbf\xbd");
}

TEST(LineBudget, LetsABurstThroughAndThenTheRate) {
  LineBudget budget;
  const SteadyTime start{1000s};
  int allowed = 0;
  for (int i = 0; i < 1000; ++i) allowed += budget.allow(start);
  EXPECT_EQ(allowed, LineBudget::kBurst);
  EXPECT_EQ(budget.take_refused(), 1000u - 200u);
  allowed = 0;
  for (int i = 0; i < 1000; ++i) allowed += budget.allow(start + 1s);
  EXPECT_EQ(allowed, LineBudget::kPerSecond);
}

}  // namespace
}  // namespace trawl::engine
