#pragma once

#include <string>
#include <string_view>

namespace trawl::db::detail {

// The statement as PostgreSQL gets it. SQL is written once, for both databases; the only marks are
//   /*pg TEXT*/                         TEXT for PostgreSQL, a comment for SQLite: /*pg FOR UPDATE*/
//   INTEGER PRIMARY KEY AUTOINCREMENT   a 64-bit identity column
[[nodiscard]] std::string postgres_sql(std::string_view sql);

// `text` as PostgreSQL can store it: without NUL, which becomes U+FFFD.
[[nodiscard]] std::string postgres_text(std::string text);

}  // namespace trawl::db::detail
