#include "updates/release.h"

#include <gtest/gtest.h>

namespace trawl::updates {
namespace {

constexpr const char* kIndex = R"({"tag_name": "2026.08.19", "name": "yt-dlp 2026.08.19", "assets": [
  {"name": "yt-dlp.exe", "browser_download_url": "https://example.org/yt-dlp.exe", "size": 1},
  {"name": "yt-dlp", "browser_download_url": "https://example.org/yt-dlp"},
  {"name": "SHA2-256SUMS", "browser_download_url": "https://example.org/sums"}]})";

TEST(Releases, AreReadFromTheAnswerOfGitHub) {
  EXPECT_EQ(read_index(kIndex).value(),
            (Release{"2026.08.19", "https://example.org/yt-dlp", "https://example.org/sums"}));
}

TEST(Releases, ThatLackSomethingAreNone) {
  for (const char* text : {"", "[]", "{}", R"({"tag_name": "2026.08.19", "assets": []})",
                           R"({"tag_name": "../../x", "assets": []})"}) {
    const auto release = read_index(text);
    ASSERT_FALSE(release) << text;
    EXPECT_EQ(release.error().reason, "bad_release_index");
  }
}

TEST(Checksums, AreFoundByTheWholeName) {
  const std::string a(64, 'a'), b(64, 'B');
  const std::string list = a + "  yt-dlp.exe\n" + b + "  yt-dlp\n";
  EXPECT_EQ(checksum_of(list, "yt-dlp").value(), std::string(64, 'b'));
  EXPECT_EQ(checksum_of(a + " *yt-dlp", "yt-dlp").value(), a);
  for (const std::string& wrong : {std::string(), a, a + "  other\n", std::string(63, 'a') + "  yt-dlp"})
    EXPECT_EQ(checksum_of(wrong, "yt-dlp").error().reason, "no_checksum") << wrong;
}

TEST(Versions, AreComparedByTheirNumbers) {
  EXPECT_TRUE(is_newer("2026.10.1", "2026.9.30"));
  EXPECT_TRUE(is_newer("2026.08.19.1", "2026.08.19"));
  EXPECT_TRUE(is_newer("2026.08.19", ""));
  EXPECT_FALSE(is_newer("2026.08.19", "2026.8.19"));
  EXPECT_FALSE(is_newer("2025.12.31", "2026.01.01"));
}

}  // namespace
}  // namespace trawl::updates
