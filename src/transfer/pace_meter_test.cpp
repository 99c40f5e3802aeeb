#include "transfer/detail/pace_meter.h"

#include <gtest/gtest.h>

namespace trawl::transfer::detail {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMegabyte = 1'000'000;

// Looks once a second at connections that bring so many bytes a second together.
struct Origin {
  PaceMeter meter;
  PaceMeter::Time now{1h};
  std::int64_t arrived = 0;
  std::size_t connections = 1;

  Origin() { meter.begin(now, arrived); }

  std::optional<std::size_t> second(std::int64_t bytes) {
    now += 1s;
    arrived += bytes;
    const auto wanted =
        meter.look(now, arrived, 1ms,
                   {.connections = connections, .remaining = 1000 * kMegabyte, .most_connections = 16});
    if (wanted) connections = *wanted;
    return wanted;
  }
};

TEST(PaceMeter, SaysNothingBeforeAnythingIsMeasured) {
  PaceMeter meter;
  const PaceMeter::Time now{1h};
  EXPECT_FALSE(meter.measuring());
  EXPECT_EQ(meter.best_connections(), std::nullopt);
  meter.begin(now, 0);
  EXPECT_TRUE(meter.measuring());
  EXPECT_EQ(meter.look(now + 1ms, 1, 100ms, {.most_connections = 16}), std::nullopt);
  EXPECT_EQ(meter.bytes_per_second(), 0);
}

TEST(PaceMeter, AsksForMoreConnectionsWhileEachOfThemIsHeldBack) {
  Origin origin;
  for (int i = 0; i < 6; ++i) origin.second(static_cast<std::int64_t>(origin.connections) * kMegabyte);
  EXPECT_EQ(origin.connections, 16U);
  EXPECT_DOUBLE_EQ(origin.meter.bytes_per_second(), 16e6);
  EXPECT_EQ(origin.meter.best_connections(), 16U);
}

TEST(PaceMeter, StaysWhereMoreConnectionsBroughtNothing) {
  Origin origin;
  origin.second(kMegabyte);
  const std::size_t added = origin.connections;
  ASSERT_GT(added, 1U);
  for (int i = 0; i < 5; ++i) EXPECT_EQ(origin.second(kMegabyte), added);
  EXPECT_EQ(origin.meter.best_connections(), 1U) << "which another file from there begins with";
}

TEST(PaceMeter, TriesAgainWhenTheOriginBecameMuchSlower) {
  Origin origin;
  origin.second(4 * kMegabyte);
  const std::size_t added = origin.connections;
  origin.second(4 * kMegabyte);
  ASSERT_EQ(origin.connections, added);
  EXPECT_GT(origin.second(kMegabyte), added);
}

}  // namespace
}  // namespace trawl::transfer::detail
