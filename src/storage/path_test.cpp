#include "storage/path.h"

#include <gtest/gtest.h>

namespace trawl::storage {
namespace {

const JobId kJob = JobId::parse("0190a000-0000-7000-8000-1a2b3c4d5e6f").value();

TEST(Path, MayHaveFoldersAndAnyLanguage) {
  for (const std::string_view path :
       {"a", "videos/Title-abc.mp4", "видео/題名 [1].webm", "a/..b/...c", ".hidden"}) {
    EXPECT_TRUE(check_path(path)) << path;
  }
  EXPECT_TRUE(check_path(std::string(1024, 'a')));
}

TEST(Path, RefusesWhatLeadsElsewhereOrIsNoName) {
  for (const std::string_view path : {"", "/etc/passwd", "../a", "a/../b", "a/..", "..", ".", "a/./b", "a//b",
                                      "a/", "\xff.mp4", "\xc0\xae\xc0\xae/a", "\xed\xa0\x80"}) {
    const auto checked = check_path(path);
    ASSERT_FALSE(checked) << path;
    EXPECT_EQ(checked.error().code, Errc::invalid);
  }
  EXPECT_FALSE(check_path(std::string_view("a\0b", 3)));
  EXPECT_FALSE(check_path(std::string(1025, 'a')));
}

TEST(Segment, IsOnePlainName) {
  EXPECT_TRUE(check_segment("Title [abc].mp4"));
  EXPECT_TRUE(check_segment(std::string(255, 'a')));
  for (const std::string_view name : {"", ".", "..", "a/b", "/a", "../a"})
    EXPECT_FALSE(check_segment(name)) << name;
  EXPECT_FALSE(check_segment(std::string_view("a\0", 2)));
  EXPECT_FALSE(check_segment(std::string(256, 'a')));
}

TEST(CandidatePath, PutsPartOfTheJobsIdAndThenACounterBeforeTheExtension) {
  EXPECT_EQ(candidate_path("v/Title.mp4", kJob, 0), "v/Title.mp4");
  EXPECT_EQ(candidate_path("v/Title.mp4", kJob, 1), "v/Title-1a2b3c4d.mp4");
  EXPECT_EQ(candidate_path("v/Title.mp4", kJob, 2), "v/Title-1a2b3c4d-2.mp4");
  EXPECT_EQ(candidate_path("v.1/Title", kJob, 1), "v.1/Title-1a2b3c4d");
  EXPECT_EQ(candidate_path("v/.hidden", kJob, 1), "v/.hidden-1a2b3c4d");
}

TEST(CandidatePath, StaysAnAllowedPath) {
  for (const std::string& path :
       {std::string(1020, 'a') + ".mp4", "a." + std::string(1022, 'b'),
        std::string(1018, 'a') + "\xc3\xa9.mp4", std::string(1006, 'a') + "/bcdefgh.mp4"}) {
    ASSERT_TRUE(check_path(path));
    const std::string candidate = candidate_path(path, kJob, 12);
    EXPECT_TRUE(check_path(candidate)) << candidate.size();
    EXPECT_NE(candidate, path);
  }
}

}  // namespace
}  // namespace trawl::storage
