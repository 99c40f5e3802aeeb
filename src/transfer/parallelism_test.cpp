#include "transfer/parallelism.h"

#include <gtest/gtest.h>

namespace trawl::transfer {
namespace {

using Seconds = std::chrono::duration<double>;

// Lets `rounds` rounds pass in which every connection brings a segment of `bytes` in `seconds(limit)`.
template <class F>
void rounds(Parallelism& parallelism, int count, F seconds) {
  double now = 0;
  for (int round = 0; round < count; ++round) {
    const std::size_t limit = parallelism.limit();
    now += seconds(limit);
    for (std::size_t i = 0; i < limit; ++i) parallelism.finished(1000, Seconds(now));
  }
}

TEST(Parallelism, GrowsWhileEachConnectionIsSlow) {
  Parallelism parallelism(16);
  EXPECT_EQ(parallelism.limit(), 4U);
  rounds(parallelism, 5, [](std::size_t) { return 1.0; });
  EXPECT_EQ(parallelism.limit(), 16U);
}

TEST(Parallelism, StaysWhereMoreConnectionsBringNothing) {
  Parallelism parallelism(16);
  rounds(parallelism, 9, [](std::size_t limit) { return 0.1 * static_cast<double>(limit); });
  EXPECT_EQ(parallelism.limit(), 8U);
}

TEST(Parallelism, NeverPassesTheConnectionsOfTheDownload) {
  Parallelism parallelism(3);
  rounds(parallelism, 5, [](std::size_t) { return 1.0; });
  EXPECT_EQ(parallelism.limit(), 3U);
}

TEST(Parallelism, HalvesAndStaysLowWhenTheOriginObjects) {
  Parallelism parallelism(16);
  rounds(parallelism, 5, [](std::size_t) { return 1.0; });
  parallelism.slow_down();
  EXPECT_EQ(parallelism.limit(), 8U);
  rounds(parallelism, 5, [](std::size_t) { return 0.01; });
  EXPECT_EQ(parallelism.limit(), 8U);
  for (int i = 0; i < 9; ++i) parallelism.slow_down();
  EXPECT_EQ(parallelism.limit(), 1U);
}

TEST(WindowSize, IsTwiceTheConnectionsOrWhatFitsInMemory) {
  EXPECT_EQ(window_size(8, 0, 64), 16U);
  EXPECT_EQ(window_size(8, 1, 64), 16U);
  EXPECT_EQ(window_size(8, 10, 64), 6U);
  EXPECT_EQ(window_size(8, 100, 64), 1U);
}

}  // namespace
}  // namespace trawl::transfer
