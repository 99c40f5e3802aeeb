#pragma once

#include <memory>
#include <string_view>

#include <gtest/gtest.h>

#include "db/database.h"
#include "testing/postgres_server.h"
#include "testing/temp_dir.h"

// A contract that both databases keep is a suite over them:
//
//   struct StoreContract : ::testing::TestWithParam<DatabaseKind> { TestDatabase under{GetParam()}; ... };
//   INSTANTIATE_TEST_SUITE_P(On, StoreContract, kBothDatabases, name_of_database);
namespace trawl {

enum class DatabaseKind { sqlite, postgres };

inline const auto kBothDatabases = ::testing::Values(DatabaseKind::sqlite, DatabaseKind::postgres);

inline std::string name_of_database(const ::testing::TestParamInfo<DatabaseKind>& info) {
  return info.param == DatabaseKind::sqlite ? "Sqlite" : "Postgres";
}

// An empty database of one kind, which can be opened again: on PostgreSQL also while it is open.
class TestDatabase {
 public:
  explicit TestDatabase(DatabaseKind kind)
      : kind_(kind), url_(kind == DatabaseKind::postgres ? new_postgres_database() : "") {}

  // `clock` stands in for the database's own.
  [[nodiscard]] std::unique_ptr<db::Database> open(asio::any_io_executor loop, const Clock* clock = nullptr) {
    auto opened = kind_ == DatabaseKind::sqlite ? db::open_sqlite(file(), loop, clock)
                                                : db::open_postgres(url_, loop, 4, clock);
    if (!opened) throw std::runtime_error(opened.error().message);
    return std::move(*opened);
  }
  [[nodiscard]] DatabaseKind kind() const { return kind_; }
  [[nodiscard]] const std::string& url() const { return url_; }                      // PostgreSQL's.
  [[nodiscard]] std::filesystem::path file() const { return folder_ / "trawl.db"; }  // SQLite's.

 private:
  DatabaseKind kind_;
  TempDir folder_;
  std::string url_;
};

}  // namespace trawl
