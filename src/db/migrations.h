#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace trawl::db {

// One step of the schema: migrations/<version>_<name>.sql, compiled in. Never changed once released.
struct Migration {
  int version = 0;
  std::string_view name;
  std::string_view sql;
};

// All steps this binary knows, by ascending version.
[[nodiscard]] std::span<const Migration> migrations();

// The steps of `known` that a database at version `current` still lacks. Fails with Errc::conflict,
// reason "schema_too_new", if a newer binary has been at work there.
[[nodiscard]] Result<std::span<const Migration>> pending_migrations(std::span<const Migration> known,
                                                                    int current);

namespace detail {
class SqliteConnection;
}

// Applies what is pending, each step in one transaction together with its row in schema_version, so
// a process that dies in the middle leaves the step to be done again from its beginning.
[[nodiscard]] Result<void> migrate(detail::SqliteConnection& connection, std::span<const Migration> known);

}  // namespace trawl::db
