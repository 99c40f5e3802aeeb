#pragma once

#include <span>

#include "db/detail/postgres_connection.h"
#include "db/migrations.h"

namespace trawl::db::detail {

// migrate() of migrations.h for PostgreSQL, under an advisory lock: nodes that start together wait for
// the first of them and find nothing left to do.
[[nodiscard]] Result<void> migrate(PostgresConnection& connection, std::span<const Migration> known);

}  // namespace trawl::db::detail
