#include "updates/shelf.h"

#include <fstream>

#include <gtest/gtest.h>

#include "base/id.h"

namespace trawl::updates {
namespace {

const SystemTime kNow{Millis(1'000'000)};

class ShelfTest : public testing::Test {
 protected:
  ShelfTest() : folder(std::filesystem::temp_directory_path() / ("shelf-" + random_hex(8))), shelf(folder) {}
  ~ShelfTest() override { std::filesystem::remove_all(folder); }

  void shelve(const std::string& version) {
    const auto draft = shelf.draft(version).value();
    std::ofstream(draft / "yt-dlp") << version;
    ASSERT_TRUE(shelf.add(draft, version));
  }

  std::filesystem::path folder;
  Shelf shelf;
};

TEST_F(ShelfTest, IsEmptyBeforeTheFirstRelease) {
  EXPECT_EQ(shelf.read().value().current, "");
  EXPECT_TRUE(shelf.program("").empty());
}

TEST_F(ShelfTest, RemembersWhatIsInUse) {
  ASSERT_TRUE(shelf.write(with_release({}, "2026.08.19", "an update", kNow)));
  const State state = shelf.read().value();
  EXPECT_EQ(state.current, "2026.08.19");
  EXPECT_EQ(state.changed_at, kNow);
}

TEST_F(ShelfTest, KeepsWhatIsInUseAndTheOneBefore) {
  for (const char* version : {"2026.1.1", "2026.2.2", "2026.3.3"}) shelve(version);
  shelf.tidy(with_release({.current = "2026.2.2"}, "2026.3.3", "", kNow));
  EXPECT_FALSE(std::filesystem::exists(shelf.program("2026.1.1")));
  EXPECT_TRUE(std::filesystem::exists(shelf.program("2026.2.2")));
  EXPECT_TRUE(std::filesystem::exists(shelf.program("2026.3.3")));
}

TEST_F(ShelfTest, RefusesAStateThatNamesAnotherFolder) {
  std::filesystem::create_directories(folder);
  std::ofstream(folder / "state.json") << R"({"current": "../../etc"})";
  EXPECT_EQ(shelf.read().error().reason, "shelf_unusable");
}

TEST(States, GoBackToTheLastGoodReleaseAndRememberTheBadOne) {
  const State first = with_release({}, "2026.1.1", "", kNow);
  const State second = with_release(first, "2026.2.2", "", kNow);
  const State back = rolled_back(second, "it failed", kNow);
  EXPECT_EQ(back.current, "2026.1.1");
  EXPECT_EQ(back.bad, std::vector<std::string>{"2026.2.2"});
  EXPECT_EQ(rolled_back(back, "", kNow).current, "");
  EXPECT_TRUE(with_release(back, "2026.2.2", "", kNow).bad.empty());
}

}  // namespace
}  // namespace trawl::updates
