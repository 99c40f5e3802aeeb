#pragma once

#include <string>

// A PostgreSQL server for the unit tests of this machine, started by the first that asks and stopped
// when none is left (tests/support/postgres.py).
namespace trawl {

// The URL of a new, empty database on that server. Throws when there is no server to be had.
[[nodiscard]] std::string new_postgres_database();

}  // namespace trawl
