#include "storage/storage_fixture.h"

namespace trawl::storage {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Sweep : StorageFixture {
  std::size_t sweep() { return run(storage->sweep()).value(); }
};

TEST_P(Sweep, RemovesExpiredArtifactsAndKeepsTheOthers) {
  const Artifact expired = store(job, "a.mp4", "a.mp4", clock.now() + 1h);
  const Artifact later = store(job, "b.mp4", "b.mp4", clock.now() + 2h);
  const Artifact never = store(job, "c.mp4", "c.mp4");
  set_state(job, "completed");
  run_to_end(context, storage->discard_stage(job));
  EXPECT_EQ(sweep(), 0u);
  clock.advance(1h);
  EXPECT_EQ(sweep(), 1u);
  EXPECT_FALSE(stored(expired));
  EXPECT_EQ(run(storage->by_path("a.mp4")).error().code, Errc::not_found);
  EXPECT_TRUE(stored(later));
  EXPECT_TRUE(stored(never));
}

TEST_P(Sweep, RemovesTheOldestWhileAllTogetherAreOverTheQuota) {
  const Artifact first = store(job, "a.mp4", "a.mp4");
  clock.advance(1s);
  const Artifact second = store(job, "b.mp4", "b.mp4");
  clock.advance(1s);
  const Artifact third = store(job, "c.mp4", "c.mp4");
  set_state(job, "completed");
  run_to_end(context, storage->discard_stage(job));
  ArtifactStore roomy(root, make_directory_blobs(root, pool, *database), pool, *database, clock,
                      ArtifactStore::Nodes::one, 3 * first.size);
  EXPECT_EQ(run(roomy.sweep()), 0U) << "they just fit";
  ArtifactStore tight(root, make_directory_blobs(root, pool, *database), pool, *database, clock,
                      ArtifactStore::Nodes::one, 2 * first.size - 1);
  EXPECT_EQ(run(tight.sweep()), 2U);
  EXPECT_FALSE(stored(first));
  EXPECT_FALSE(stored(second));
  EXPECT_TRUE(stored(third));
  EXPECT_EQ(run(storage->by_path("b.mp4")).error().code, Errc::not_found);
}

TEST_P(Sweep, RemovesTheFoldersThatAnExpiredArtifactLeavesEmpty) {
  store(job, "a.mp4", "a.mp4", clock.now());
  EXPECT_EQ(sweep(), 1u);
  EXPECT_FALSE(fs::exists(root / "content" / job.str()));
}

TEST_P(Sweep, RemovesWhatALeasePublishedAndNeverRecorded) {
  const auto lost = publish(job, "a.mp4", "a.mp4").value().front();
  EXPECT_EQ(sweep(), 0u) << "the lease may still record it";
  EXPECT_TRUE(stored(lost));
  set_state(job, "running", 2);
  EXPECT_EQ(sweep(), 1u);
  EXPECT_FALSE(stored(lost));
  EXPECT_FALSE(fs::exists(root / "content" / job.str()));
}

TEST_P(Sweep, KeepsWhatACancellingLeaseMayStillHold) {
  const auto held = publish(job, "a.mp4", "a.mp4").value().front();
  set_state(job, "cancelling");
  EXPECT_EQ(sweep(), 0u);
  EXPECT_TRUE(stored(held));
  set_state(job, "retry_wait");
  EXPECT_EQ(sweep(), 1u);
  EXPECT_FALSE(stored(held));
}

TEST_P(Sweep, RemovesFilesWithoutARowBesideFilesThatHaveOne) {
  const Artifact kept = store(job, "a.mp4", "a.mp4");
  const Artifact orphan = publish(job, "b.mp4", "b.mp4").value().front();
  run_to_end(context, storage->discard_stage(job));
  set_state(job, "completed");
  EXPECT_EQ(sweep(), 1u);
  EXPECT_TRUE(stored(kept));
  EXPECT_FALSE(stored(orphan));
}

TEST_P(Sweep, RemovesContentAndWorkFoldersOfJobsThatNobodyKnows) {
  const JobId unknown = JobId::make(clock.now());
  ASSERT_TRUE(publish(unknown, "a.mp4", "a.mp4"));
  EXPECT_EQ(sweep(), 2u);
  EXPECT_TRUE(fs::is_empty(root / "content"));
  EXPECT_TRUE(fs::is_empty(root / "staging"));
}

TEST_P(Sweep, RemovesTheWorkFoldersOfJobsThatHaveEndedOnly) {
  for (const std::string state : {"completed", "failed", "dead", "cancelled", "expired"}) {
    set_state(job, state);
    ASSERT_TRUE(run(storage->stage(job, 1)));
    EXPECT_EQ(sweep(), 1u) << state;
    EXPECT_TRUE(fs::is_empty(root / "staging")) << state;
  }
  for (const std::string state : {"queued", "retry_wait", "scheduled", "running", "cancelling"}) {
    set_state(job, state);
    ASSERT_TRUE(run(storage->stage(job, 1)));
    EXPECT_EQ(sweep(), 0u) << state;
    EXPECT_FALSE(fs::is_empty(root / "staging")) << state;
  }
}

TEST_P(Sweep, LeavesAloneWhatIsNotItsOwn) {
  fs::create_directories(root / "content" / "lost+found");
  put(root / "staging" / "README", "of the operator");
  EXPECT_EQ(sweep(), 0u);
  EXPECT_TRUE(fs::exists(root / "content" / "lost+found"));
  EXPECT_TRUE(fs::exists(root / "staging" / "README"));
}

TEST_P(Sweep, DoesNotFollowLinksOutOfTheStorage) {
  fs::create_directories(folder / "precious");
  put(folder / "precious" / "file", "keep me");
  set_state(job, "failed");
  const auto staging = run(storage->stage(job, 1)).value();
  fs::create_directory_symlink(folder / "precious", staging / "link");
  EXPECT_EQ(sweep(), 1u);
  EXPECT_TRUE(fs::exists(folder / "precious" / "file"));
}

TEST_P(Sweep, GetsThroughMoreRowsThanItTakesAtOnce) {
  std::vector<Artifact> artifacts;
  for (int i = 0; i < 1001; ++i) {
    Artifact artifact;
    artifact.id = ArtifactId::make(clock.now());
    artifact.job = job;
    artifact.path = fmt::format("{}", i);
    artifact.location = fmt::format("content/{}/1/{}", job.str(), i);
    artifact.expires_at = clock.now();
    artifacts.push_back(artifact);
  }
  ASSERT_TRUE(record(artifacts));
  EXPECT_EQ(sweep(), 0u) << "their files were never there";
  EXPECT_TRUE(run(storage->of_job(job))->empty());
}

// Two jobs' artifacts for the same bytes (downloads/single_flight.h).
struct SharedContent : Sweep {
  void SetUp() override {
    Sweep::SetUp();
    add_job(second, "completed");
    first = store(job, "a.mp4", "a.mp4", clock.now() + 1h);
    set_state(job, "completed");
    run_to_end(context, storage->discard_stage(job));
    Artifact own = first;
    own.id = ArtifactId::make(clock.now());
    own.job = second;
    own.expires_at = clock.now() + 2h;
    other = record({own}).value().front();
  }

  JobId second = JobId::make(clock.now() + 1ms);
  Artifact first, other;
};

TEST_P(SharedContent, OutlivesTheJobThatFetchedItUntilTheLastReferenceExpires) {
  EXPECT_NE(first.path, other.path);
  EXPECT_EQ(run(storage->space())->used, first.size);
  clock.advance(1h);
  EXPECT_EQ(sweep(), 0u);
  EXPECT_TRUE(stored(other));
  EXPECT_EQ(run(storage->by_path(first.path)).error().code, Errc::not_found);
  clock.advance(1h);
  EXPECT_EQ(sweep(), 1u);
  EXPECT_FALSE(stored(other));
}

TEST_P(SharedContent, OutlivesTheRecordOfTheJobThatFetchedIt) {
  ASSERT_TRUE(run(storage->remove_of_job(job)));
  ASSERT_TRUE(run(database->write(
      [this](db::Transaction& t) { return t.execute("DELETE FROM jobs WHERE id = $1", {job.str()}); })));
  EXPECT_EQ(sweep(), 0u);
  EXPECT_TRUE(stored(other));
  ASSERT_TRUE(run(storage->remove_of_job(second)));
  EXPECT_FALSE(stored(other));
}

INSTANTIATE_TEST_SUITE_P(On, Sweep, kBothDatabases, name_of_database);
INSTANTIATE_TEST_SUITE_P(On, SharedContent, kBothDatabases, name_of_database);

}  // namespace
}  // namespace trawl::storage
