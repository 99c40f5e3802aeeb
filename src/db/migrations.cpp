#include "db/migrations.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/log.h"
#include "db/detail/sqlite_connection.h"

namespace trawl::db {
namespace {

using detail::SqliteConnection;

Result<int> current_version(SqliteConnection& connection) {
  const auto table =
      connection.query("SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'");
  if (!table) return fail(table.error());
  if (table->empty()) return 0;
  const auto newest = connection.query("SELECT COALESCE(MAX(version), 0) FROM schema_version");
  if (!newest) return fail(newest.error());
  return static_cast<int>(newest->front().integer(0));
}

Result<void> check_references(SqliteConnection& connection) {
  const auto broken = connection.query("PRAGMA foreign_key_check");
  if (!broken) return fail(broken.error());
  if (broken->empty()) return {};
  return fail(Errc::internal,
              fmt::format("{} rows of {} refer to nothing", broken->size(), broken->front().text(0)));
}

Result<void> apply(SqliteConnection& connection, const Migration& step) {
  auto done = connection.run_script(
      "CREATE TABLE IF NOT EXISTS schema_version ("
      "version INTEGER PRIMARY KEY, name TEXT NOT NULL, applied_at TEXT NOT NULL DEFAULT CURRENT_TIMESTAMP)");
  if (!done) return done;
  if (done = connection.run_script(std::string(step.sql)); !done) return done;
  if (done = check_references(connection); !done) return done;
  const auto recorded = connection.execute("INSERT INTO schema_version (version, name) VALUES ($1, $2)",
                                           {std::int64_t{step.version}, std::string(step.name)});
  if (!recorded) return fail(recorded.error());
  return connection.run_script("COMMIT");
}

Result<void> apply_in_transaction(SqliteConnection& connection, const Migration& step) {
  auto done = connection.run_script("BEGIN IMMEDIATE");
  if (!done) return done;
  done = apply(connection, step);
  if (done) return done;
  if (connection.in_transaction()) {
    if (const auto undone = connection.run_script("ROLLBACK"); !undone) {
      log_error("cannot roll a migration back", {{"error", undone.error().message}});
    }
  }
  return fail(done.error().code,
              fmt::format("migration {:04}_{}: {}", step.version, step.name, done.error().message),
              done.error().reason);
}

}  // namespace

Result<std::span<const Migration>> pending_migrations(std::span<const Migration> known, int current) {
  const int newest = known.empty() ? 0 : known.back().version;
  if (current > newest) {
    return fail(
        Errc::conflict,
        fmt::format(
            "the database has schema version {}, this program knows only {}: a newer release has used "
            "it; run that release, or restore a backup made before the upgrade",
            current, newest),
        "schema_too_new");
  }
  const auto first =
      std::ranges::find_if(known, [&](const Migration& step) { return step.version > current; });
  return known.subspan(static_cast<std::size_t>(first - known.begin()));
}

Result<void> migrate(SqliteConnection& connection, std::span<const Migration> known) {
  const auto current = current_version(connection);
  if (!current) return fail(current.error());
  const auto pending = pending_migrations(known, *current);
  if (!pending) return fail(pending.error());
  if (pending->empty()) return {};

  // With enforcement on, a step that rebuilds a table would delete every row that refers to it;
  // check_references() looks before each commit instead.
  if (auto off = connection.run_script("PRAGMA foreign_keys = OFF"); !off) return off;
  for (const Migration& step : *pending) {
    if (auto done = apply_in_transaction(connection, step); !done) return done;
    log_info("database schema migrated", {{"version", step.version}, {"name", step.name}});
  }
  return connection.run_script("PRAGMA foreign_keys = ON");
}

}  // namespace trawl::db
