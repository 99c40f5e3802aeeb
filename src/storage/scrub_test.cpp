#include "storage/scrub.h"

#include "storage/storage_fixture.h"

namespace trawl::storage {
namespace {

using namespace std::chrono_literals;

TEST(ScrubPause, KeepsReadingUnderTheRate) {
  EXPECT_EQ(scrub_pause(1 << 20, 1 << 20, 0s), 1s);
  EXPECT_EQ(scrub_pause(1 << 20, 4 << 20, 100ms), 150ms);
  EXPECT_EQ(scrub_pause(1 << 20, 1 << 20, 3s), 0s) << "the disk is slower than the rate";
}

TEST(ScrubPause, MakesSmallFilesCostSomething) {
  EXPECT_EQ(scrub_pause(1, 64 << 10, 0s), 1s);
  EXPECT_EQ(scrub_pause(0, 128 << 10, 0s), 500ms);
}

struct ScrubTest : StorageFixture {
  Scrub make(std::string holder = "one", std::int64_t rate = 1 << 30) {
    return Scrub(context.get_executor(), *storage, pool, *database,
                 {.holder = std::move(holder),
                  .rate = rate,
                  .interval = std::chrono::hours(24),
                  .on_checked = [this](Integrity found, std::int64_t) { seen.push_back(found); }});
  }
  void check(Scrub& scrub) {
    const auto checked = run(scrub.check_due());
    ASSERT_TRUE(checked) << checked.error().message;
  }
  Integrity integrity_of(const Artifact& artifact) { return run(storage->by_path(artifact.path))->integrity; }
  void spoil(const Artifact& artifact) {
    std::string content = content_of(*storage->file_of(artifact));
    content[0] ^= 1;
    put(*storage->file_of(artifact), content);
  }

  std::vector<Integrity> seen;
};

TEST_P(ScrubTest, LeavesFilesAloneUntilTheirTimeComes) {
  store(job, "a.mp4", "a.mp4");
  Scrub scrub = make();
  check(scrub);
  EXPECT_TRUE(seen.empty());
  clock.advance(24h + 1s);
  check(scrub);
  EXPECT_EQ(seen, std::vector{Integrity::sound});
  check(scrub);
  EXPECT_EQ(seen.size(), 1U) << "it was read a moment ago";
}

TEST_P(ScrubTest, FindsAChangedByteAndDeletesNothing) {
  const Artifact sound = store(job, "a.mp4", "a.mp4"), spoilt = store(job, "b.mp4", "b.mp4");
  spoil(spoilt);
  Scrub scrub = make();
  clock.advance(1s);
  ASSERT_TRUE(run(scrub.ask()));
  check(scrub);
  EXPECT_EQ(integrity_of(sound), Integrity::sound);
  EXPECT_EQ(integrity_of(spoilt), Integrity::corrupt);
  EXPECT_TRUE(stored(spoilt));
  const auto report = run(scrub.report(0, 10)).value();
  EXPECT_EQ(report.files, 2);
  EXPECT_EQ(report.due_files, 0);
  EXPECT_EQ(report.damaged, (std::map<Integrity, std::int64_t>{{Integrity::corrupt, 1}}));
  ASSERT_EQ(report.artifacts.size(), 1U);
  EXPECT_EQ(report.artifacts.front().path, spoilt.path);
}

TEST_P(ScrubTest, FindsWhatIsMissingOrHasAnotherLength) {
  const Artifact gone = store(job, "a.mp4", "a.mp4"), shorter = store(job, "b.mp4", "b.mp4"),
                 longer = store(job, "c.mp4", "c.mp4");
  std::filesystem::remove(*storage->file_of(gone));
  put(*storage->file_of(shorter), "content");
  put(*storage->file_of(longer), content_of(*storage->file_of(longer)) + "more");
  clock.advance(25h);
  Scrub scrub = make();
  check(scrub);
  EXPECT_EQ(integrity_of(gone), Integrity::missing);
  EXPECT_EQ(integrity_of(shorter), Integrity::corrupt);
  EXPECT_EQ(integrity_of(longer), Integrity::corrupt);
}

TEST_P(ScrubTest, SeesThatAFileWasPutBack) {
  const Artifact artifact = store(job, "a.mp4", "a.mp4");
  const std::string content = content_of(*storage->file_of(artifact));
  spoil(artifact);
  clock.advance(25h);
  Scrub scrub = make();
  check(scrub);
  ASSERT_EQ(integrity_of(artifact), Integrity::corrupt);
  put(*storage->file_of(artifact), content);
  clock.advance(25h);
  check(scrub);
  EXPECT_EQ(integrity_of(artifact), Integrity::sound);
}

TEST_P(ScrubTest, AsksAgainSoonForWhatCouldNotBeRead) {
  const Artifact artifact = store(job, "a.mp4", "a.mp4");
  clock.advance(1s);
  store(job, "b.mp4", "b.mp4");
  const auto file = *storage->file_of(artifact);
  const std::string content = content_of(file);
  std::filesystem::remove(file);
  std::filesystem::create_symlink(std::string(content.size(), 'x'), file);  // Is not followed.
  clock.advance(25h);
  Scrub scrub = make();
  check(scrub);
  EXPECT_EQ(seen, std::vector{Integrity::unreadable}) << "no other file is tried for a while";
  check(scrub);
  EXPECT_EQ(seen.back(), Integrity::sound);
  std::filesystem::remove(file);
  put(file, content);
  clock.advance(30min);
  check(scrub);
  EXPECT_EQ(seen.size(), 2U);
  clock.advance(31min);
  check(scrub);
  EXPECT_EQ(seen.size(), 3U);
  EXPECT_EQ(integrity_of(artifact), Integrity::sound);
}

TEST_P(ScrubTest, GoesOnAfterARestartWithTheFilesReadLongestAgo) {
  const Artifact first = store(job, "a.mp4", "a.mp4");
  clock.advance(20h);
  const Artifact second = store(job, "b.mp4", "b.mp4");
  clock.advance(5h);
  {
    Scrub scrub = make();
    check(scrub);
    EXPECT_EQ(seen.size(), 1U) << "the second is not due yet";
  }
  clock.advance(20h);
  Scrub again = make();
  spoil(first);
  check(again);
  EXPECT_EQ(seen.size(), 2U);
  EXPECT_EQ(integrity_of(first), Integrity::sound) << "it was read by the scrub before";
}

TEST_P(ScrubTest, LeavesTheWorkToTheProcessThatHasIt) {
  store(job, "a.mp4", "a.mp4");
  clock.advance(25h);
  Scrub one = make("one"), other = make("other");
  check(one);
  clock.advance(1s);
  ASSERT_TRUE(run(one.ask()));
  check(other);
  EXPECT_EQ(seen.size(), 1U);
  EXPECT_EQ(run(other.report(0, 1)).value().reader, "one");
  clock.advance(61s);
  check(other);
  EXPECT_EQ(seen.size(), 2U) << "the first has not been heard of for a minute";
}

TEST_P(ScrubTest, RefusesToBeAskedWhenItIsOff) {
  Scrub scrub = make("one", 0);
  const auto asked = run(scrub.ask());
  ASSERT_FALSE(asked);
  EXPECT_EQ(asked.error().reason, "scrub_off");
}

INSTANTIATE_TEST_SUITE_P(On, ScrubTest, kBothDatabases, name_of_database);

}  // namespace
}  // namespace trawl::storage
