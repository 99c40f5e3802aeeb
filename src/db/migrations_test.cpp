#include "db/migrations.h"

#include <sys/wait.h>
#include <unistd.h>

#include <gtest/gtest.h>

#include "db/detail/sqlite_connection.h"
#include "testing/temp_dir.h"

namespace trawl::db {
namespace {

using detail::SqliteConnection;

constexpr Migration kSteps[] = {
    {1, "tables",
     "CREATE TABLE parents (id TEXT PRIMARY KEY); CREATE TABLE a (id TEXT REFERENCES parents (id));"},
    {2, "more",
     "ALTER TABLE a ADD COLUMN extra TEXT; CREATE TABLE b (id TEXT); INSERT INTO b VALUES ('once');"},
};

SqliteConnection open(const TempDir& folder) {
  return *SqliteConnection::open(folder / "a.db", SqliteConnection::Access::read_write);
}

std::int64_t count(SqliteConnection& connection, std::string_view sql) {
  return connection.query(sql).value().front().integer(0);
}

TEST(Migrations, AreAppliedOnceAndInOrder) {
  const TempDir folder;
  auto connection = open(folder);
  ASSERT_TRUE(migrate(connection, std::span(kSteps).first(1)));
  ASSERT_TRUE(migrate(connection, kSteps));
  ASSERT_TRUE(migrate(connection, kSteps));
  EXPECT_EQ(count(connection, "SELECT COUNT(*) FROM schema_version"), 2);
  EXPECT_EQ(count(connection, "SELECT COUNT(*) FROM b"), 1);
}

TEST(Migrations, AreEmbeddedWithoutGapsAndBuildTheWholeSchema) {
  int expected = 1;
  for (const Migration& step : migrations()) EXPECT_EQ(step.version, expected++);
  const TempDir folder;
  auto connection = open(folder);
  ASSERT_TRUE(migrate(connection, migrations()));
  for (const std::string_view table : {"jobs", "events", "artifacts"}) {
    EXPECT_TRUE(connection.query(fmt::format("SELECT * FROM {}", table))) << table;
  }
  EXPECT_EQ(count(connection, "PRAGMA foreign_keys"), 1);
}

TEST(Migrations, LeaveNothingBehindWhenTheyFail) {
  const TempDir folder;
  auto connection = open(folder);
  const Migration broken[] = {{1, "broken", "CREATE TABLE a (id TEXT); INSERT INTO nowhere VALUES (1);"}};
  const auto failed = migrate(connection, broken);
  ASSERT_FALSE(failed);
  EXPECT_NE(failed.error().message.find("0001_broken"), std::string::npos) << failed.error().message;
  EXPECT_TRUE(migrate(connection, kSteps));
}

TEST(Migrations, RefuseToLeaveRowsThatReferToNothing) {
  const TempDir folder;
  auto connection = open(folder);
  ASSERT_TRUE(migrate(connection, std::span(kSteps).first(1)));
  const Migration dangling[] = {kSteps[0], {2, "dangling", "INSERT INTO a VALUES ('nobody');"}};
  EXPECT_FALSE(migrate(connection, dangling));
  EXPECT_EQ(count(connection, "SELECT COUNT(*) FROM a"), 0);
}

// Runs the first `statements` of the second step in a child process that dies there.
void die_in_migration(const TempDir& folder, std::span<const std::string> statements) {
  const pid_t child = ::fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto connection = open(folder);
    bool ok = connection.run_script("BEGIN IMMEDIATE").has_value();
    for (const auto& sql : statements) ok = ok && connection.run_script(sql).has_value();
    ::_exit(ok ? 0 : 1);
  }
  int status = 0;
  ASSERT_EQ(::waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0) << "the child could not do its part";
}

TEST(Migrations, StartOverAfterTheProcessDiedAtAnyStatement) {
  const std::vector<std::string> statements = {
      "ALTER TABLE a ADD COLUMN extra TEXT", "CREATE TABLE b (id TEXT)", "INSERT INTO b VALUES ('once')",
      "INSERT INTO schema_version (version, name) VALUES (2, 'more')"};
  for (std::size_t killed_after = 0; killed_after <= statements.size(); ++killed_after) {
    const TempDir folder;
    {
      auto connection = open(folder);
      ASSERT_TRUE(migrate(connection, std::span(kSteps).first(1)));
    }
    die_in_migration(folder, std::span(statements).first(killed_after));

    auto connection = open(folder);
    EXPECT_EQ(count(connection, "SELECT MAX(version) FROM schema_version"), 1) << killed_after;
    ASSERT_TRUE(migrate(connection, kSteps)) << killed_after;
    EXPECT_EQ(count(connection, "SELECT COUNT(*) FROM b"), 1) << killed_after;
    EXPECT_EQ(connection.query("PRAGMA integrity_check")->front().text(0), "ok");
  }
}

TEST(PendingMigrations, RefuseASchemaThatIsNewerThanTheProgram) {
  const auto pending = pending_migrations(kSteps, 3);
  ASSERT_FALSE(pending);
  EXPECT_EQ(pending.error().code, Errc::conflict);
  EXPECT_EQ(pending.error().reason, "schema_too_new");
}

TEST(PendingMigrations, AreTheOnesAfterTheCurrentVersion) {
  EXPECT_EQ(pending_migrations(kSteps, 0)->size(), 2u);
  EXPECT_EQ(pending_migrations(kSteps, 1)->front().version, 2);
  EXPECT_TRUE(pending_migrations(kSteps, 2)->empty());
}

}  // namespace
}  // namespace trawl::db
