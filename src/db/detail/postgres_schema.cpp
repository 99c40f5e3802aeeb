#include "db/detail/postgres_schema.h"

#include <thread>

#include <fmt/format.h>

#include "base/log.h"

namespace trawl::db::detail {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// "trawl" in ASCII: any number that other programs are unlikely to lock.
constexpr std::string_view kLock = "500069722476";
constexpr auto kLockPatience = 120s;

// Held until the connection ends or unlock(); a node that dies gives it up.
Result<void> lock(PostgresConnection& connection) {
  const auto until = steady_clock::now() + kLockPatience;
  while (true) {
    const auto got = connection.query(fmt::format("SELECT pg_try_advisory_lock({})", kLock));
    if (!got) return fail(got.error());
    if (got->front().boolean(0)) return {};
    if (steady_clock::now() > until)
      return fail(Errc::unavailable, "another node has been changing the schema for two minutes; try again");
    std::this_thread::sleep_for(50ms);
  }
}

Result<int> current_version(PostgresConnection& connection) {
  const auto table = connection.query("SELECT to_regclass('schema_version') IS NOT NULL");
  if (!table) return fail(table.error());
  if (!table->front().boolean(0)) return 0;
  const auto newest = connection.query("SELECT COALESCE(MAX(version), 0) FROM schema_version");
  if (!newest) return fail(newest.error());
  return static_cast<int>(newest->front().integer(0));
}

// A script without BEGIN runs in one transaction of its own, so a death in the middle leaves nothing.
Result<void> apply(PostgresConnection& connection, const Migration& step) {
  const auto done = connection.run_script(fmt::format(
      "BEGIN; SET LOCAL statement_timeout = 0;"
      "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER PRIMARY KEY, name TEXT NOT NULL,"
      " applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP);"
      "{}\n;INSERT INTO schema_version (version, name) VALUES ({}, '{}'); COMMIT",
      step.sql, step.version, step.name));
  if (done) return {};
  if (const auto undone = connection.run_script("ROLLBACK"); !undone && connection.alive())
    log_error("cannot roll a migration back", {{"error", undone.error().message}});
  return fail(done.error().code,
              fmt::format("migration {:04}_{}: {}", step.version, step.name, done.error().message),
              done.error().reason);
}

Result<void> migrate_locked(PostgresConnection& connection, std::span<const Migration> known) {
  const auto current = current_version(connection);
  if (!current) return fail(current.error());
  const auto pending = pending_migrations(known, *current);
  if (!pending) return fail(pending.error());
  for (const Migration& step : *pending) {
    if (auto done = apply(connection, step); !done) return done;
    log_info("database schema migrated", {{"version", step.version}, {"name", step.name}});
  }
  return {};
}

}  // namespace

Result<void> migrate(PostgresConnection& connection, std::span<const Migration> known) {
  if (auto locked = lock(connection); !locked) return locked;
  auto done = migrate_locked(connection, known);
  const auto unlocked = connection.query(fmt::format("SELECT pg_advisory_unlock({})", kLock));
  if (done && !unlocked) return fail(unlocked.error());
  return done;
}

}  // namespace trawl::db::detail
