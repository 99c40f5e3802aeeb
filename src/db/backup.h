#pragma once

#include <cstdint>
#include <filesystem>

#include "base/result.h"

namespace trawl::db {

struct BackupFacts {
  std::int64_t bytes = 0;
  int schema = 0;  // The version of the schema in it.
};

// Copies an SQLite database, which may be in use by a server, into a file of its own: all of it as it was at
// one moment, checked, durable, and readable by its owner only. Nothing is left behind when it fails.
// Errc::conflict when `target` exists, not_found without a database, unavailable and no_space as usual.
[[nodiscard]] Result<BackupFacts> back_up(const std::filesystem::path& database,
                                          const std::filesystem::path& target);

// Makes a copy of `backup` the database, after having checked that it is whole and of a schema this program
// knows. What was there before is kept beside it under another name, which is returned; empty when there
// was nothing. Errc::conflict while a server uses the database, invalid for a file that is no backup.
[[nodiscard]] Result<std::filesystem::path> restore(const std::filesystem::path& backup,
                                                    const std::filesystem::path& database);

}  // namespace trawl::db
