#include "db/detail/sqlite_connection.h"

#include <fstream>

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "testing/temp_dir.h"

namespace trawl::db::detail {
namespace {

struct Connection : ::testing::Test {
  void SetUp() override {
    ASSERT_TRUE(sqlite.execute("CREATE TABLE t (id INTEGER PRIMARY KEY, name TEXT UNIQUE, x REAL)"));
  }

  TempDir folder;
  SqliteConnection sqlite = *SqliteConnection::open(folder / "a.db", SqliteConnection::Access::read_write);
};

TEST_F(Connection, BindsParametersByTheirNumberNotByTheirPlace) {
  ASSERT_EQ(sqlite.execute("INSERT INTO t (name, id, x) VALUES ($2, $1, $3)",
                           {std::int64_t{1}, std::string("one\0more", 8), std::monostate()}),
            1);
  const auto rows = sqlite.query("SELECT id, name, x FROM t WHERE id = $1 AND (name = $2 OR id = $1)",
                                 {std::int64_t{1}, std::string("no")});
  ASSERT_TRUE(rows);
  ASSERT_EQ(rows->size(), 1u);
  EXPECT_EQ(rows->front().integer(0), 1);
  EXPECT_EQ(rows->front().text(1), std::string("one\0more", 8));
  EXPECT_TRUE(rows->front().null(2));
}

TEST_F(Connection, RefusesParametersThatDoNotMatchTheStatement) {
  EXPECT_EQ(sqlite.query("SELECT $1").error().code, Errc::internal);
  EXPECT_EQ(sqlite.query("SELECT 1", {std::int64_t{1}}).error().code, Errc::internal);
  EXPECT_EQ(sqlite.query("SELECT $2", {std::int64_t{1}}).error().code, Errc::internal);
}

TEST_F(Connection, RefusesAnythingButOneStatement) {
  EXPECT_EQ(sqlite.execute("DELETE FROM t; DELETE FROM t").error().code, Errc::internal);
  EXPECT_EQ(sqlite.execute(" -- nothing").error().code, Errc::internal);
  EXPECT_TRUE(sqlite.execute("DELETE FROM t; "));
}

TEST_F(Connection, CountsTheRowsThatAStatementChanged) {
  EXPECT_EQ(sqlite.execute("INSERT INTO t (name) VALUES ('a'), ('b')"), 2);
  EXPECT_EQ(sqlite.execute("CREATE TABLE other (id INTEGER)"), 0);
  EXPECT_EQ(sqlite.execute("UPDATE t SET x = 1 WHERE name = 'c'"), 0);
}

TEST_F(Connection, SaysConflictWhenAConstraintIsViolated) {
  ASSERT_TRUE(sqlite.execute("INSERT INTO t (name) VALUES ('a')"));
  const auto twice = sqlite.execute("INSERT INTO t (name) VALUES ('a')");
  EXPECT_EQ(twice.error().code, Errc::conflict);
  EXPECT_NE(twice.error().message.find("t.name"), std::string::npos) << twice.error().message;
}

TEST_F(Connection, SaysNoSpaceWhenTheFileMayNotGrow) {
  ASSERT_TRUE(sqlite.query("PRAGMA max_page_count = 3"));
  const auto big = sqlite.execute("INSERT INTO t (name) VALUES ($1)", {std::string(100'000, 'x')});
  EXPECT_EQ(big.error().code, Errc::no_space);
}

TEST_F(Connection, KeepsWorkingWhenMoreStatementsAreUsedThanItKeeps) {
  for (std::size_t round = 0; round < 2; ++round) {
    for (std::size_t i = 0; i < StatementCache::kCapacity + 10; ++i) {
      const auto rows = sqlite.query(fmt::format("SELECT {}", i));
      ASSERT_TRUE(rows);
      EXPECT_EQ(rows->front().integer(0), static_cast<std::int64_t>(i));
    }
  }
}

TEST_F(Connection, CanBeOpenedForReadingOnly) {
  auto reading = *SqliteConnection::open(folder / "a.db", SqliteConnection::Access::read_only);
  EXPECT_TRUE(reading.query("SELECT * FROM t"));
  EXPECT_FALSE(reading.execute("DELETE FROM t"));
}

TEST_F(Connection, IsDurableAtEveryCommitAndChecksReferences) {
  EXPECT_EQ(sqlite.query("PRAGMA journal_mode")->front().text(0), "wal");
  EXPECT_EQ(sqlite.query("PRAGMA synchronous")->front().integer(0), 2);
  EXPECT_EQ(sqlite.query("PRAGMA foreign_keys")->front().integer(0), 1);
}

TEST(ConnectionOpen, FailsOnAFileThatIsNoDatabase) {
  const TempDir folder;
  std::ofstream(folder / "a.db") << std::string(4096, 'x');
  EXPECT_FALSE(SqliteConnection::open(folder / "a.db", SqliteConnection::Access::read_write));
}

TEST(ResultCode, SaysWhatACallerCanDo) {
  EXPECT_EQ(code_of(SQLITE_FULL), Errc::no_space);
  EXPECT_EQ(code_of(SQLITE_BUSY_SNAPSHOT), Errc::unavailable);
  EXPECT_EQ(code_of(SQLITE_IOERR_FSYNC), Errc::unavailable);
  EXPECT_EQ(code_of(SQLITE_CONSTRAINT_UNIQUE), Errc::conflict);
  EXPECT_EQ(code_of(SQLITE_CORRUPT), Errc::internal);
}

}  // namespace
}  // namespace trawl::db::detail
