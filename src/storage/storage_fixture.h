#pragma once

#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "async/blocking_pool.h"
#include "async/run.h"
#include "storage/storage.h"
#include "testing/any_database.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace trawl::storage {

inline void put(const std::filesystem::path& file, std::string_view content) {
  std::ofstream(file, std::ios::binary) << content;
}

inline std::string content_of(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

inline Staged staged(std::string name, std::string path) {
  Staged out;
  out.name = std::move(name);
  out.path = std::move(path);
  out.mime_type = "video/mp4";
  return out;
}

// For tests: a storage over a real folder and database, with a job to work for.
struct StorageFixture : ::testing::TestWithParam<DatabaseKind> {
  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }

  void SetUp() override {
    database = under.open(context.get_executor(), &clock);
    storage = std::make_unique<ArtifactStore>(root, make_directory_blobs(root, pool, *database), pool,
                                              *database, clock);
    const auto opened = run(storage->open());
    ASSERT_TRUE(opened) << opened.error().message;
    add_job(job);
  }

  void add_job(JobId id, std::string state = "running", std::int64_t epoch = 1) {
    ASSERT_TRUE(run(database->write([=](db::Transaction& t) {
      return t.execute(
          "INSERT INTO jobs (id, kind, priority, state, phase, epoch, request, created_at, updated_at)"
          " VALUES ($1, 'download', 5, $2, 'waiting', $3, '{}', 0, 0)",
          {id.str(), state, epoch});
    })));
  }
  void set_state(JobId id, std::string state, std::int64_t epoch = 1) {
    ASSERT_EQ(run(database->write([=](db::Transaction& t) {
                return t.execute("UPDATE jobs SET state = $2, epoch = $3 WHERE id = $1",
                                 {id.str(), state, epoch});
              })),
              1);
  }

  // Stages one file and publishes it; its row is not recorded.
  Result<std::vector<Artifact>> publish(JobId id, const std::string& name, std::string path,
                                        std::optional<SystemTime> expires_at = {}, std::int64_t epoch = 1) {
    const auto staging = run(storage->stage(id, epoch));
    if (!staging) return fail(staging.error());
    put(*staging / name, "content of " + name);
    return run(storage->publish(id, epoch, {staged(name, std::move(path))}, expires_at));
  }
  Result<std::vector<Artifact>> record(std::vector<Artifact> artifacts) {
    return run(database->write([artifacts](db::Transaction& t) mutable -> Result<std::vector<Artifact>> {
      if (auto recorded = ArtifactStore::record(t, artifacts); !recorded) return fail(recorded.error());
      return artifacts;
    }));
  }
  // Publishes and records one file.
  Artifact store(JobId id, const std::string& name, std::string path,
                 std::optional<SystemTime> expires_at = {}, std::int64_t epoch = 1) {
    return record(publish(id, name, std::move(path), expires_at, epoch).value()).value().front();
  }
  bool stored(const Artifact& artifact) { return std::filesystem::exists(*storage->file_of(artifact)); }

  TempDir folder;
  std::filesystem::path root = folder / "storage";
  asio::io_context context;
  BlockingPool pool{2};
  FakeClock clock;
  TestDatabase under{GetParam()};
  std::unique_ptr<db::Database> database;
  std::unique_ptr<ArtifactStore> storage;
  JobId job = JobId::make(clock.now());
};

}  // namespace trawl::storage
