#pragma once

#include <span>

#include "base/clock.h"
#include "db/detail/sqlite_connection.h"
#include "db/detail/work_thread.h"

namespace trawl::db::detail {

// Runs each work in a savepoint of its own and commits all of them together.
//
// Afterwards `failure` is empty exactly for what is durable. When SQLite gives the transaction up in
// the middle (full disk, I/O error), what ran before in it fails too and the rest gets a new one.
void commit_together(SqliteConnection& connection, std::span<Submission> group, const Clock& clock);

// Runs each work on a snapshot of its own.
void read_each(SqliteConnection& connection, std::span<Submission> group, const Clock& clock);

}  // namespace trawl::db::detail
