#include <sys/stat.h>

#include "base/sha256.h"
#include "storage/storage_fixture.h"

namespace trawl::storage {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Storage : StorageFixture {};

TEST_P(Storage, KeepsAFileAndFindsItByPathAndJob) {
  const Artifact stored = store(job, "a.mp4", "videos/Title.mp4", clock.now() + 1h);
  EXPECT_EQ(stored.size, 16);
  EXPECT_EQ(stored.sha256, sha256_hex("content of a.mp4"));
  EXPECT_EQ(stored.mime_type, "video/mp4");
  EXPECT_EQ(stored.created_at, clock.now());
  EXPECT_EQ(content_of(*storage->file_of(stored)), "content of a.mp4");
  EXPECT_EQ(run(storage->by_path("videos/Title.mp4")), stored);
  EXPECT_EQ(run(storage->of_job(job)), std::vector{stored});
}

TEST_P(Storage, ShowsNothingBeforeItsRowIsRecorded) {
  ASSERT_TRUE(publish(job, "a.mp4", "videos/Title.mp4"));
  EXPECT_EQ(run(storage->by_path("videos/Title.mp4")).error().code, Errc::not_found);
  EXPECT_TRUE(run(storage->of_job(job)).value().empty());
}

TEST_P(Storage, HashesFilesOfManyBlocks) {
  const std::string big(3 * 1024 * 1024 + 7, 'b');
  put(run(storage->stage(job, 1)).value() / "big.bin", big);
  const auto published = run(storage->publish(job, 1, {staged("big.bin", "big.bin")}, {}));
  EXPECT_EQ(published.value().front().size, static_cast<std::int64_t>(big.size()));
  EXPECT_EQ(published.value().front().sha256, sha256_hex(big));
}

TEST_P(Storage, GivesAFileAnotherNameWhenItsOwnIsTaken) {
  const std::string tail = job.str().substr(24, 8);
  EXPECT_EQ(store(job, "a.mp4", "v/Title.mp4").path, "v/Title.mp4");
  EXPECT_EQ(store(job, "b.mp4", "v/Title.mp4").path, "v/Title-" + tail + ".mp4");
  EXPECT_EQ(store(job, "c.mp4", "v/Title.mp4").path, "v/Title-" + tail + "-2.mp4");
  EXPECT_EQ(content_of(*storage->file_of(run(storage->by_path("v/Title.mp4")).value())), "content of a.mp4");
}

TEST_P(Storage, RemovesTheFilesOfAJobWithTheirFolders) {
  const JobId other = JobId::make(clock.now());
  add_job(other);
  const Artifact kept = store(other, "b.mp4", "b.mp4");
  const Artifact gone = store(job, "a.mp4", "a.mp4");
  ASSERT_TRUE(run(storage->remove_of_job(job)));
  EXPECT_FALSE(stored(gone));
  EXPECT_FALSE(fs::exists(root / "content" / job.str()));
  EXPECT_EQ(run(storage->by_path("a.mp4")).error().code, Errc::not_found);
  EXPECT_TRUE(stored(kept));
}

TEST_P(Storage, CountsWhatItHoldsAndWhatTheDiskHas) {
  EXPECT_EQ(run(storage->space())->used, 0);
  store(job, "a.mp4", "a.mp4");
  store(job, "b.mp4", "b.mp4");
  const auto space = run(storage->space()).value();
  EXPECT_EQ(space.used, 32);
  EXPECT_GT(space.available, 0);
  EXPECT_GE(space.total, space.available);
}

TEST_P(Storage, GivesEachLeaseAWorkFolderThatOnlyItsOwnerMayEnter) {
  const auto first = run(storage->stage(job, 1)).value();
  const auto second = run(storage->stage(job, 2)).value();
  EXPECT_NE(first, second);
  struct stat info{};
  ASSERT_EQ(::stat(first.c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 0777, 0700u);
  EXPECT_EQ(run(storage->stage(job, 1)), first) << "asking again gives the same folder";
}

TEST_P(Storage, HandsTheNewestWorkFolderOfADeadLeaseOn) {
  put(run(storage->stage(job, 1)).value() / "part", "old");
  put(run(storage->stage(job, 9)).value() / "part", "newest");
  put(run(storage->stage(job, 3)).value() / "part", "newer");
  const auto taken = run(storage->restage(job, 10)).value();
  EXPECT_EQ(taken.filename(), job.str() + ".10");
  EXPECT_EQ(content_of(taken / "part"), "newest");
  EXPECT_EQ(std::distance(fs::directory_iterator(root / "staging"), {}), 1);
  EXPECT_EQ(run(storage->restage(job, 10)), taken) << "asking again changes nothing";
  EXPECT_EQ(content_of(taken / "part"), "newest");
}

TEST_P(Storage, KeepsWhatAFrozenHolderGoesOnWritingAwayFromItsSuccessor) {
  ArtifactStore shared(root, make_directory_blobs(root, pool, *database), pool, *database, clock,
                       ArtifactStore::Nodes::many);
  const auto frozen = run(shared.stage(job, 1)).value();
  put(frozen / "part", "before");
  put(frozen / "part.journal", "6 bytes");
  std::fstream still_open(frozen / "part", std::ios::in | std::ios::out | std::ios::binary);
  const auto taken = run(shared.restage(job, 2)).value();
  still_open << "ZOMBIE" << std::flush;
  EXPECT_EQ(content_of(taken / "part"), "before");
  EXPECT_EQ(content_of(taken / "part.journal"), "6 bytes");
  EXPECT_FALSE(fs::exists(frozen));
}

TEST_P(Storage, CopiesNothingThatAChildOnlyLinkedTo) {
  ArtifactStore shared(root, make_directory_blobs(root, pool, *database), pool, *database, clock,
                       ArtifactStore::Nodes::many);
  put(root / "secret", "words");
  const auto left = run(shared.stage(job, 1)).value();
  put(left / "part", "bytes");
  fs::create_symlink(root / "secret", left / "soft");
  fs::create_hard_link(root / "secret", left / "hard");
  const auto taken = run(shared.restage(job, 2)).value();
  EXPECT_EQ(content_of(taken / "part"), "bytes");
  EXPECT_FALSE(fs::exists(taken / "soft"));
  EXPECT_FALSE(fs::exists(taken / "hard"));
}

TEST_P(Storage, StartsEmptyWhenThereIsNothingToTakeOver) {
  const JobId other = JobId::make(clock.now());
  put(run(storage->stage(other, 1)).value() / "part", "of another job");
  EXPECT_TRUE(fs::is_empty(run(storage->restage(job, 2)).value()));
  EXPECT_TRUE(fs::exists(root / "staging" / (other.str() + ".1") / "part"));
}

TEST_P(Storage, RefusesToTakeOverFromALaterLease) {
  ASSERT_TRUE(run(storage->stage(job, 3)));
  EXPECT_EQ(run(storage->restage(job, 2)).error().code, Errc::conflict);
  EXPECT_TRUE(fs::exists(root / "staging" / (job.str() + ".3")));
}

TEST_P(Storage, DiscardsEveryWorkFolderOfAJob) {
  const JobId other = JobId::make(clock.now());
  put(run(storage->stage(job, 1)).value() / "part", "x");
  ASSERT_TRUE(run(storage->stage(job, 2)));
  ASSERT_TRUE(run(storage->stage(other, 1)));
  run_to_end(context, storage->discard_stage(job));
  EXPECT_EQ(std::distance(fs::directory_iterator(root / "staging"), {}), 1);
}

TEST_P(Storage, SaysWhyItCannotOpen) {
  put(folder / "file", "not a folder");
  ArtifactStore broken(folder / "file", make_directory_blobs(folder / "file", pool, *database), pool,
                       *database, clock);
  const auto opened = run(broken.open());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, Errc::unavailable);
  EXPECT_NE(opened.error().message.find((folder / "file").string()), std::string::npos);
}

INSTANTIATE_TEST_SUITE_P(On, Storage, kBothDatabases, name_of_database);

}  // namespace
}  // namespace trawl::storage
