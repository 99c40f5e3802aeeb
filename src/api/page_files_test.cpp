#include "api/page_files.h"

#include <algorithm>
#include <fstream>

#include <gmock/gmock.h>

#include "testing/temp_dir.h"

namespace trawl::api {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

void write(const fs::path& path, std::string_view text) {
  fs::create_directories(path.parent_path());
  std::ofstream(path) << text;
}

TEST(BuiltInPage, HasEveryFileThatItNames) {
  const PageFiles page = built_in_page();
  ASSERT_TRUE(page.contains(kFirstPage));
  for (const auto& [name, file] : page) {
    EXPECT_FALSE(file.bytes.empty()) << name;
    if (name == kFirstPage) continue;
    const bool named = std::ranges::any_of(page, [&](const auto& other) {
      return other.second.bytes.contains("ui/" + name) || other.second.bytes.contains("\"./" + name + "\"");
    });
    EXPECT_TRUE(named) << name;
  }
}

TEST(PageInAFolder, IsReadWithItsSubfolders) {
  const TempDir dir;
  write(dir.path() / "index.html", "<p>");
  write(dir.path() / "js/app.js", "1");
  write(dir.path() / "empty.css", "");
  const auto page = read_page(dir.path());
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->size(), 3U);
  EXPECT_EQ(page->at("js/app.js").bytes, "1");
  EXPECT_EQ(page->at("js/app.js").media, "text/javascript; charset=utf-8");
}

TEST(PageInAFolder, TakesNeitherWhatIsHiddenNorWhatLinksLeadTo) {
  const TempDir dir;
  write(dir.path() / "page/index.html", "<p>");
  write(dir.path() / "page/.git/config", "secret");
  write(dir.path() / "page/.env", "secret");
  write(dir.path() / "outside/secret", "secret");
  fs::create_symlink(dir.path() / "outside/secret", dir.path() / "page/file");
  fs::create_directory_symlink(dir.path() / "outside", dir.path() / "page/folder");
  const auto page = read_page(dir.path() / "page");
  ASSERT_TRUE(page) << page.error().message;
  EXPECT_EQ(page->size(), 1U);
}

TEST(PageInAFolder, IsRefusedByNameWhenThereIsNone) {
  const TempDir dir;
  EXPECT_THAT(read_page(dir.path()).error().message, HasSubstr("has no index.html"));
  EXPECT_THAT(read_page(dir.path() / "none").error().message, HasSubstr("cannot be read"));
}

}  // namespace
}  // namespace trawl::api
