#include "downloads/disk_watch.h"

#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kMiB = 1 << 20;

// What comes of looks at a disk whose mark is 8 MiB.
bool room_after(std::initializer_list<DiskLook> looks) {
  DiskState state;
  for (const DiskLook& look : looks) state = judge_disk(state, look, 8 * kMiB);
  return state.room;
}

DiskLook at(std::int64_t mib, std::chrono::seconds time = 0s) {
  return {.available = mib * kMiB, .now = DiskState::Time(time)};
}

DiskLook full_at(std::int64_t mib, std::chrono::seconds time = 0s) {
  DiskLook out = at(mib, time);
  out.found_full = true;
  return out;
}

TEST(DiskWatch, HasRoomFromTheMarkOn) {
  EXPECT_TRUE(room_after({at(8)}));
  EXPECT_FALSE(room_after({at(7)}));
  EXPECT_TRUE(room_after({at(7), at(8)}));
}

TEST(DiskWatch, HasNoRoomWhileTheDatabaseLivesOnItsReserve) {
  DiskLook look = at(100);
  look.database_short = true;
  EXPECT_FALSE(room_after({look}));
  EXPECT_TRUE(room_after({look, at(100)}));
}

TEST(DiskWatch, WaitsForMoreThanWasFreeWhenADownloadFoundItFull) {
  EXPECT_FALSE(room_after({full_at(20)}));
  EXPECT_FALSE(room_after({full_at(20), at(20, 59s)}));
  EXPECT_TRUE(room_after({full_at(20), at(21)}));
  EXPECT_FALSE(room_after({full_at(20), full_at(30), at(20)}));
  EXPECT_TRUE(room_after({full_at(20), full_at(30), at(21)}));
}

TEST(DiskWatch, TriesAFullDiskAgainAfterAMinute) {
  EXPECT_TRUE(room_after({full_at(20), at(20, 60s)}));
  EXPECT_FALSE(room_after({full_at(20), full_at(20, 59s), at(20, 60s)}));
}

TEST(DiskWatch, KeepsOthersGoingWhenOneDownloadIsTooLargeForTheDisk) {
  EXPECT_TRUE(room_after({full_at(1000)}));
}

}  // namespace
}  // namespace trawl::downloads
