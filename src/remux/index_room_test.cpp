#include "remux/index_room.h"

#include <array>
#include <limits>

#include <gtest/gtest.h>

namespace trawl::remux {
namespace {

constexpr std::int64_t kLarge = 200'000'000;

TEST(RoomForIndex, IsForEveryPacketAndLittleOfTheFile) {
  const std::array tracks{TrackSize{.video = true, .packets = 7500}, TrackSize{.packets = 13'000}};
  const auto room = room_for_index(tracks, kLarge);
  EXPECT_GT(room, 7500 * 20 + 13'000 * 12);
  EXPECT_LT(room, kLarge / 100);
}

TEST(RoomForIndex, IsNotMadeWhereItWouldBeMuchOfTheFile) {
  const std::array tracks{TrackSize{.packets = 155'000}};  // An hour of sound.
  EXPECT_EQ(room_for_index(tracks, 57'000'000), 0);
  EXPECT_EQ(room_for_index({}, 1'000'000), 0);
}

TEST(RoomForIndex, IsNotMadeForAStreamOfUnknownLength) {
  const std::array tracks{TrackSize{.video = true, .packets = 7500}, TrackSize{}};
  EXPECT_EQ(room_for_index(tracks, kLarge), 0);
  const std::array odd{TrackSize{.packets = std::numeric_limits<double>::quiet_NaN()}};
  EXPECT_EQ(room_for_index(odd, kLarge), 0);
  const std::array endless{TrackSize{.packets = std::numeric_limits<double>::infinity()}};
  EXPECT_EQ(room_for_index(endless, kLarge), 0);
}

}  // namespace
}  // namespace trawl::remux
