#include <algorithm>
#include <fcntl.h>
#include <mutex>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <gmock/gmock.h>

#include "base/sha256.h"
#include "storage/storage_fixture.h"

// The system calls that make files durable, as this process makes them: these definitions take the
// place of the C library's, note the call and do it.
namespace {

struct CallLog {
  std::mutex mutex;
  std::vector<std::string> calls;
  std::string failing_sync;  // The name of a file whose fsync is to fail; no call is made then.

  void add(std::string call) {
    const std::lock_guard lock(mutex);
    calls.push_back(std::move(call));
  }
};
CallLog call_log;

std::string path_of(int descriptor) {
  char path[4096] = {};
  const ssize_t size = ::readlink(fmt::format("/proc/self/fd/{}", descriptor).c_str(), path, sizeof path - 1);
  return size > 0 ? std::string(path, static_cast<std::size_t>(size)) : "?";
}

int noted_sync(long call, int descriptor) {
  const std::string path = path_of(descriptor);
  call_log.add("sync " + path);
  if (!call_log.failing_sync.empty() && path.ends_with(call_log.failing_sync)) {
    errno = EIO;
    return -1;
  }
  return static_cast<int>(::syscall(call, descriptor));
}

}  // namespace

extern "C" int fsync(int descriptor) {
  return noted_sync(SYS_fsync, descriptor);
}
extern "C" int fdatasync(int descriptor) {
  return noted_sync(SYS_fdatasync, descriptor);
}
extern "C" int renameat(int from, const char* old_name, int to, const char* new_name) noexcept {
  call_log.add(fmt::format("rename {}/{}", path_of(to), new_name));
  return static_cast<int>(::syscall(SYS_renameat2, from, old_name, to, new_name, 0));
}

namespace trawl::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;

struct Publish : StorageFixture {
  void SetUp() override {
    StorageFixture::SetUp();
    staging = run(storage->stage(job, 1)).value();
    const std::lock_guard lock(call_log.mutex);
    call_log.calls.clear();
    call_log.failing_sync.clear();
  }
  void TearDown() override { call_log.failing_sync.clear(); }

  Result<std::vector<Artifact>> publish_named(std::vector<Staged> files) {
    return run(storage->publish(job, 1, std::move(files), {}));
  }
  std::size_t position_of(const std::string& call) {
    const auto found = std::ranges::find(call_log.calls, call);
    EXPECT_NE(found, call_log.calls.end()) << call;
    return static_cast<std::size_t>(found - call_log.calls.begin());
  }

  fs::path staging;
};

TEST_P(Publish, SyncsTheFileBeforeItsRenameAndTheFoldersBeforeTheCommit) {
  put(staging / "a.mp4", "x");
  const auto published = publish_named({staged("a.mp4", "a.mp4")});
  ASSERT_TRUE(published);
  ASSERT_TRUE(record(*published));

  const std::string base = fs::canonical(root).string();
  const std::string content = base + "/content";
  const std::vector<std::size_t> order = {
      position_of("sync " + fs::canonical(staging).string() + "/a.mp4"),
      position_of("rename " + content + "/" + job.str() + "/1/a.mp4"),
      position_of("sync " + content + "/" + job.str() + "/1"),
      position_of("sync " + content + "/" + job.str()),
      position_of("sync " + content),
      position_of("sync " + fs::canonical(under.file()).string() + "-wal"),
  };
  EXPECT_TRUE(std::ranges::is_sorted(order)) << ::testing::PrintToString(call_log.calls);
}

TEST_P(Publish, DiscardsAFileThatCannotBeSyncedAndDoesNotTryAgain) {
  put(staging / "good.mp4", "x");
  put(staging / "rotten.mp4", "x");
  call_log.failing_sync = "/rotten.mp4";
  const auto published = publish_named({staged("good.mp4", "good.mp4"), staged("rotten.mp4", "rotten.mp4")});
  ASSERT_FALSE(published);
  EXPECT_EQ(published.error().code, Errc::unavailable);
  EXPECT_THAT(published.error().message, HasSubstr("rotten.mp4"));
  EXPECT_EQ(
      std::ranges::count_if(call_log.calls, [](const auto& call) { return call.ends_with("/rotten.mp4"); }),
      1);
  EXPECT_FALSE(fs::exists(staging / "rotten.mp4"));
  EXPECT_TRUE(fs::exists(staging / "good.mp4")) << "nothing is moved unless everything can be";
}

media::FileDigest digest_of(const fs::path& file, std::string sha256) {
  struct stat info{};
  EXPECT_EQ(::stat(file.c_str(), &info), 0);
  return {.name = file.filename().string(), .stamp = stamp_of(info), .sha256 = std::move(sha256)};
}

TEST_P(Publish, TakesADigestThatIsKnownAlready) {
  put(staging / "a.mp4", "x");
  auto file = staged("a.mp4", "a.mp4");
  file.digest = digest_of(staging / "a.mp4", "known");
  const auto published = publish_named({file});
  ASSERT_TRUE(published);
  EXPECT_EQ(published->front().sha256, "known");
  EXPECT_EQ(published->front().size, 1);
  EXPECT_EQ(position_of("sync " + fs::canonical(staging).string() + "/a.mp4"), 0U);
}

TEST_P(Publish, HashesAFileThatHasChangedSinceItsDigestWasMade) {
  put(staging / "a.mp4", "x");
  auto file = staged("a.mp4", "a.mp4");
  file.digest = digest_of(staging / "a.mp4", "old");
  std::ofstream(staging / "new", std::ios::binary) << "y";
  fs::last_write_time(staging / "new", fs::last_write_time(staging / "a.mp4"));
  fs::rename(staging / "new", staging / "a.mp4");
  const auto published = publish_named({file});
  ASSERT_TRUE(published);
  EXPECT_EQ(published->front().sha256, sha256_hex("y"));
}

TEST_P(Publish, FailsWhenAFolderCannotBeSynced) {
  put(staging / "a.mp4", "x");
  call_log.failing_sync = "/content/" + job.str();
  EXPECT_EQ(publish_named({staged("a.mp4", "a.mp4")}).error().code, Errc::unavailable);
}

TEST_P(Publish, RefusesNamesThatAreNotOneSegment) {
  put(folder / "secret", "s");
  put(staging / "a.mp4", "x");
  for (const std::string name : {"../../../secret", "..", ".", "", "/etc/passwd", "sub/a.mp4", "a.mp4/"}) {
    EXPECT_EQ(publish_named({staged(name, "a.mp4")}).error().code, Errc::invalid) << name;
  }
  EXPECT_EQ(publish_named({staged(std::string("a.mp4\0x", 7), "a")}).error().code, Errc::invalid);
  EXPECT_EQ(publish_named({staged("a.mp4", "../a.mp4")}).error().code, Errc::invalid);
  EXPECT_TRUE(fs::exists(staging / "a.mp4"));
}

TEST_P(Publish, RefusesTheSameFileTwice) {
  put(staging / "a.mp4", "x");
  EXPECT_EQ(publish_named({staged("a.mp4", "a"), staged("a.mp4", "b")}).error().code, Errc::invalid);
}

TEST_P(Publish, RefusesLinksAndWhatIsNoRegularFile) {
  put(folder / "secret", "s");
  fs::create_symlink(folder / "secret", staging / "symlink");
  fs::create_hard_link(folder / "secret", staging / "hardlink");
  fs::create_directory(staging / "folder");
  ASSERT_EQ(::mkfifo((staging / "fifo").c_str(), 0600), 0);
  for (const std::string name : {"symlink", "hardlink", "folder", "fifo"}) {
    const auto published = publish_named({staged(name, "a")});
    ASSERT_FALSE(published) << name;
    EXPECT_EQ(published.error().reason, "not_a_plain_file") << name;
  }
  EXPECT_EQ(content_of(folder / "secret"), "s");
}

TEST_P(Publish, SaysWhichFileIsMissingAndMovesNoOther) {
  put(staging / "a.mp4", "x");
  const auto published = publish_named({staged("a.mp4", "a"), staged("b.mp4", "b")});
  EXPECT_EQ(published.error().code, Errc::not_found);
  EXPECT_THAT(published.error().message, HasSubstr("b.mp4"));
  EXPECT_TRUE(fs::exists(staging / "a.mp4"));
}

INSTANTIATE_TEST_SUITE_P(On, Publish, ::testing::Values(DatabaseKind::sqlite), name_of_database);

}  // namespace
}  // namespace trawl::storage
