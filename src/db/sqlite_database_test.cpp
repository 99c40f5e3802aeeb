#include <fstream>
#include <future>
#include <stdexcept>
#include <sys/stat.h>

#include <gmock/gmock.h>

#include "async/run.h"
#include "async/scope.h"
#include "db/database.h"
#include "testing/temp_dir.h"

namespace trawl::db {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// Commits that SQLite has put into its write-ahead log: frames that carry a database size.
int commits_in_wal(const std::filesystem::path& database) {
  std::ifstream wal(database.string() + "-wal", std::ios::binary);
  const std::string bytes((std::istreambuf_iterator<char>(wal)), {});
  const auto number = [&](std::size_t at) {
    std::uint32_t out = 0;
    for (std::size_t i = 0; i < 4; ++i) out = out << 8 | static_cast<std::uint8_t>(bytes[at + i]);
    return out;
  };
  if (bytes.size() < 32) return 0;
  int commits = 0;
  for (std::size_t frame = 32; frame + 24 <= bytes.size(); frame += 24 + number(8)) {
    if (number(frame + 4) != 0) ++commits;
  }
  return commits;
}

struct SqliteDatabase : ::testing::Test {
  void SetUp() override {
    reopen();
    ASSERT_TRUE(write("CREATE TABLE t (id INTEGER PRIMARY KEY)"));
  }
  void reopen() {
    database.reset();
    auto opened = open_sqlite(file, context.get_executor());
    ASSERT_TRUE(opened) << opened.error().message;
    database = std::move(*opened);
  }
  Result<std::int64_t> write(std::string sql) {
    return run_to_end(context, database->write([sql](Transaction& t) { return t.execute(sql); }));
  }
  std::vector<std::int64_t> ids() {
    const auto rows = run_to_end(
        context, database->read([](Transaction& t) { return t.query("SELECT id FROM t ORDER BY id"); }));
    std::vector<std::int64_t> out;
    for (const Row& row : rows.value()) out.push_back(row.integer(0));
    return out;
  }

  TempDir folder;
  std::filesystem::path file = folder / "data" / "trawl.db";
  asio::io_context context;
  std::unique_ptr<Database> database;
};

// Keeps the database's writing thread in one work, so that what is submitted meanwhile waits together.
class Held {
 public:
  Held(asio::io_context& context, Database& database) : context_(context), scope_(context.get_executor()) {
    spawn("gate", [](Database& db, std::promise<void>& in, std::shared_future<void> open) -> Task<void> {
      (void)co_await db.write([&in, open](Transaction&) -> Result<void> {
        in.set_value();
        open.wait();
        return {};
      });
    }(database, entered_, opened_.get_future().share()));
    entered_.get_future().wait();
  }

  // Starts a coroutine, which submits before this returns.
  void spawn(std::string name, Task<void> task) {
    scope_.spawn(std::move(name), std::move(task));
    context_.restart();
    context_.poll();
  }

  // Lets the thread go on and returns when all is done.
  void release() {
    opened_.set_value();
    run_to_end(context_, scope_.join());
  }

 private:
  asio::io_context& context_;
  Scope scope_;
  std::promise<void> entered_, opened_;
};

// Submits `works` together and returns how each ended.
std::vector<std::optional<Error>> write_together(asio::io_context& context, Database& database,
                                                 std::vector<Work> works) {
  std::vector<std::optional<Error>> outcomes(works.size());
  Held held(context, database);
  for (std::size_t i = 0; i < works.size(); ++i) {
    held.spawn("writer", [](Database& db, Work work, std::optional<Error>& outcome) -> Task<void> {
      const Result<void> done =
          co_await db.write([work = std::move(work)](Transaction& t) mutable -> Result<void> {
            if (auto error = work(t)) return fail(*error);
            return {};
          });
      if (!done) outcome = done.error();
    }(database, std::move(works[i]), outcomes[i]));
  }
  held.release();
  return outcomes;
}

Work insert(std::int64_t id) {
  return [id](Transaction& t) -> std::optional<Error> {
    const auto done = t.execute("INSERT INTO t (id) VALUES ($1)", {id});
    if (!done) return done.error();
    return std::nullopt;
  };
}

Work insert_and_throw(std::int64_t id) {
  return [id](Transaction& t) -> std::optional<Error> {
    (void)t.execute("INSERT INTO t (id) VALUES ($1)", {id});
    throw std::runtime_error("bug in the work");
  };
}

TEST_F(SqliteDatabase, SharesOneCommitAmongWritesThatWaitTogether) {
  const int before = commits_in_wal(file);
  std::vector<Work> works;
  for (int i = 0; i < 20; ++i) works.push_back(insert(i));
  write_together(context, *database, std::move(works));

  EXPECT_EQ(ids().size(), 20u);
  EXPECT_EQ(commits_in_wal(file), before + 1);
}

TEST_F(SqliteDatabase, TakesBackOnlyTheWritesThatFailed) {
  ASSERT_TRUE(write("INSERT INTO t (id) VALUES (2)"));
  std::vector<Work> works;
  works.push_back(insert(1));
  works.push_back(insert(2));  // Is there already.
  works.push_back(insert_and_throw(3));
  works.push_back(insert(4));
  const auto outcomes = write_together(context, *database, std::move(works));

  EXPECT_FALSE(outcomes[0]);
  ASSERT_TRUE(outcomes[1]);
  EXPECT_EQ(outcomes[1]->code, Errc::conflict);
  ASSERT_TRUE(outcomes[2]);
  EXPECT_EQ(outcomes[2]->code, Errc::internal);
  EXPECT_THAT(outcomes[2]->message, HasSubstr("bug in the work"));
  EXPECT_FALSE(outcomes[3]);
  EXPECT_THAT(ids(), ElementsAre(1, 2, 4));
}

TEST_F(SqliteDatabase, FailsEveryWriteOfAGroupWhoseCommitFails) {
  ASSERT_TRUE(write("CREATE TABLE child (id INTEGER REFERENCES t (id) DEFERRABLE INITIALLY DEFERRED)"));
  std::vector<Work> works;
  works.push_back(insert(1));
  works.push_back([](Transaction& t) -> std::optional<Error> {
    t.on_commit([] { ADD_FAILURE() << "nothing was committed"; });
    const auto done = t.execute("INSERT INTO child (id) VALUES (99)");
    return done ? std::nullopt : std::optional(done.error());
  });
  const auto outcomes = write_together(context, *database, std::move(works));

  EXPECT_TRUE(outcomes[0]);
  EXPECT_TRUE(outcomes[1]);
  EXPECT_THAT(ids(), ElementsAre());
  EXPECT_TRUE(write("INSERT INTO t (id) VALUES (5)"));
}

TEST_F(SqliteDatabase, GoesOnAfterTheFileCouldNotGrow) {
  ASSERT_TRUE(run_to_end(
      context, database->write([](Transaction& t) { return t.query("PRAGMA max_page_count = 1"); })));
  const auto full = run_to_end(context, database->write([](Transaction& t) {
    return t.execute(
        "INSERT INTO jobs (id, kind, priority, state, phase, request, created_at, updated_at)"
        " VALUES ('a', 'k', 1, 's', 'p', $1, 0, 0)",
        {std::string(1'000'000, 'x')});
  }));
  EXPECT_EQ(full.error().code, Errc::no_space);
  ASSERT_TRUE(run_to_end(
      context, database->write([](Transaction& t) { return t.query("PRAGMA max_page_count = 1000000"); })));
  EXPECT_TRUE(write("INSERT INTO t (id) VALUES (1)"));
}

TEST_F(SqliteDatabase, RunsActionsAfterTheCommitInOrderAndBeforeTheCallers) {
  std::vector<std::string> heard;
  const auto here = std::this_thread::get_id();
  const auto work = [&](int id, bool ok) {
    return [&heard, id, ok, here](Transaction& t) -> Result<void> {
      t.on_commit([&heard, id, here] {
        EXPECT_TRUE(std::this_thread::get_id() == here);
        heard.push_back(fmt::format("action {}", id));
      });
      const auto done = t.execute("INSERT INTO t (id) VALUES ($1)", {std::int64_t{id}});
      if (!done) return fail(done.error());
      return ok ? Result<void>() : fail(Errc::invalid, "no");
    };
  };
  Held held(context, *database);
  const auto submit = [&](int id, bool ok) {
    held.spawn(
        "writer",
        [](Database& db, decltype(work(0, true)) w, std::vector<std::string>& out, int n) -> Task<void> {
          const auto done = co_await db.write(std::move(w));
          out.push_back(fmt::format("caller {} {}", n, done ? "ok" : "failed"));
        }(*database, work(id, ok), heard, id));
  };
  submit(1, true);
  submit(2, false);
  submit(3, true);
  held.release();
  EXPECT_THAT(heard, ElementsAre("action 1", "action 3", "caller 1 ok", "caller 2 failed", "caller 3 ok"));
}

TEST_F(SqliteDatabase, KeepsWhatItAcknowledgedOverAReopen) {
  ASSERT_TRUE(write("INSERT INTO t (id) VALUES (1)"));
  reopen();
  EXPECT_THAT(ids(), ElementsAre(1));
}

TEST_F(SqliteDatabase, ReadsOneSnapshotWhileWritesGoOn) {
  std::promise<void> reading, written;
  auto may_go_on = written.get_future().share();
  Result<std::pair<std::int64_t, std::int64_t>> counts = fail(Errc::internal, "never read");
  Scope scope(context.get_executor());
  scope.spawn(
      "reader",
      [](Database& db, std::promise<void>& began, std::shared_future<void> go, auto& out) -> Task<void> {
        out = co_await db.read([&began, go](Transaction& t) -> Result<std::pair<std::int64_t, std::int64_t>> {
          const auto first = t.query("SELECT COUNT(*) FROM t").value().front().integer(0);
          began.set_value();
          go.wait();
          return std::pair(first, t.query("SELECT COUNT(*) FROM t").value().front().integer(0));
        });
      }(*database, reading, may_go_on, counts));
  context.restart();
  context.poll();
  reading.get_future().wait();
  ASSERT_TRUE(write("INSERT INTO t (id) VALUES (1)"));
  written.set_value();
  run_to_end(context, scope.join());
  ASSERT_TRUE(counts);
  EXPECT_EQ(*counts, std::pair(std::int64_t{0}, std::int64_t{0}));
  EXPECT_THAT(ids(), ElementsAre(1));
}

TEST_F(SqliteDatabase, RefusesWritesAndActionsInARead) {
  const auto wrote =
      run_to_end(context, database->read([](Transaction& t) { return t.execute("DELETE FROM t"); }));
  EXPECT_FALSE(wrote);
  const auto listened = run_to_end(context, database->read([](Transaction& t) -> Result<void> {
    t.on_commit([] {});
    return {};
  }));
  EXPECT_EQ(listened.error().code, Errc::internal);
}

TEST_F(SqliteDatabase, TakesWorkThatCanOnlyBeMoved) {
  auto number = std::make_unique<std::int64_t>(7);
  const auto done = run_to_end(context, database->write([number = std::move(number)](Transaction& t) {
    return t.execute("INSERT INTO t (id) VALUES ($1)", {*number});
  }));
  EXPECT_EQ(done, 1);
}

TEST_F(SqliteDatabase, FinishesWhatWasSubmittedBeforeClosingAndNothingAfter) {
  std::vector<Result<std::int64_t>> outcomes;
  Scope scope(context.get_executor());
  for (std::int64_t i = 0; i < 100; ++i) {
    scope.spawn("writer", [](Database& db, std::int64_t id, auto& out) -> Task<void> {
      out.push_back(co_await db.write(
          [id](Transaction& t) { return t.execute("INSERT INTO t (id) VALUES ($1)", {id}); }));
    }(*database, i, outcomes));
  }
  context.restart();
  context.poll();
  database->close();
  database->close();
  run_to_end(context, scope.join());
  EXPECT_EQ(std::ranges::count(outcomes, Result<std::int64_t>(1)), 100);
  EXPECT_EQ(write("DELETE FROM t").error().code, Errc::unavailable);
  reopen();
  EXPECT_EQ(ids().size(), 100u);
}

TEST_F(SqliteDatabase, LetsOnlyOneUserIn) {
  const auto second = open_sqlite(file, context.get_executor());
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, Errc::conflict);
  EXPECT_EQ(second.error().reason, "database_locked");
  EXPECT_THAT(second.error().message, HasSubstr(file.string() + ".lock"));
  EXPECT_THAT(second.error().message, HasSubstr("stop it"));
  database.reset();
  EXPECT_TRUE(open_sqlite(file, context.get_executor()));
}

TEST_F(SqliteDatabase, RefusesAFileThatANewerReleaseHasUsed) {
  ASSERT_TRUE(write("INSERT INTO schema_version (version, name) VALUES (9999, 'future')"));
  database.reset();
  const auto opened = open_sqlite(file, context.get_executor());
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().reason, "schema_too_new");
}

TEST_F(SqliteDatabase, IsReadableForItsOwnerOnly) {
  ASSERT_TRUE(write("INSERT INTO t (id) VALUES (1)"));
  for (const char* suffix : {"", "-wal", ".lock"}) {
    struct stat info{};
    ASSERT_EQ(::stat((file.string() + suffix).c_str(), &info), 0) << suffix;
    EXPECT_EQ(info.st_mode & 0777, 0600u) << suffix;
  }
}

}  // namespace
}  // namespace trawl::db
