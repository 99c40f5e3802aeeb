#include "db/detail/reserve_file.h"

#include <sys/stat.h>

#include <gtest/gtest.h>

#include "testing/temp_dir.h"

namespace trawl::db::detail {
namespace {

TEST(ReserveFile, TakesBlocksAndGivesThemUpOnce) {
  const TempDir folder;
  const auto file = folder / "trawl.db.reserve";
  ReserveFile reserve(file);
  struct stat info{};
  ASSERT_EQ(::stat(file.c_str(), &info), 0);
  EXPECT_GT(info.st_size, 0);
  EXPECT_GE(info.st_blocks * 512, info.st_size);
  EXPECT_FALSE(reserve.given_up());

  reserve.give_up();
  EXPECT_FALSE(std::filesystem::exists(file));
  EXPECT_TRUE(reserve.given_up());
  reserve.give_up();
  EXPECT_TRUE(reserve.given_up());
}

TEST(ReserveFile, KeepsTheOneOfAnEarlierProcess) {
  const TempDir folder;
  const auto file = folder / "trawl.db.reserve";
  {
    const ReserveFile earlier(file);
  }
  ReserveFile reserve(file);
  reserve.give_up();
  EXPECT_FALSE(std::filesystem::exists(file));
}

}  // namespace
}  // namespace trawl::db::detail
