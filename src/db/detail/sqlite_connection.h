#pragma once

#include <filesystem>
#include <list>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include <sqlite3.h>

#include "base/result.h"
#include "db/database.h"
#include "db/detail/answer.h"

namespace trawl::db::detail {

// Prepared statements by their text, the least recently used dropped first.
class StatementCache {
 public:
  static constexpr std::size_t kCapacity = 128;

  // The statement stays valid until the next call.
  [[nodiscard]] Result<sqlite3_stmt*> get(sqlite3* connection, std::string_view sql);

 private:
  struct Finalize {
    void operator()(sqlite3_stmt* statement) const { sqlite3_finalize(statement); }
  };
  struct Entry {
    std::string sql;
    std::unique_ptr<sqlite3_stmt, Finalize> statement;
  };

  std::list<Entry> entries_;  // Most recently used first.
  std::unordered_map<std::string_view, std::list<Entry>::iterator> by_sql_;
};

// One connection, used by one thread at a time.
class SqliteConnection {
 public:
  enum class Access { read_write, read_only };

  [[nodiscard]] static Result<SqliteConnection> open(const std::filesystem::path& file, Access access);

  // Parameters are bound by name, $1 to $n, and each must occur in `sql`, which is one statement.
  [[nodiscard]] Result<std::vector<Row>> query(std::string_view sql,
                                               const std::vector<Value>& parameters = {});
  [[nodiscard]] Result<std::int64_t> execute(std::string_view sql, const std::vector<Value>& parameters = {});

  // Stops at the first that fails.
  [[nodiscard]] Result<std::vector<Answer>> run_all(const std::vector<Statement>& statements);

  // Runs any number of statements without parameters; stops at the first that fails.
  [[nodiscard]] Result<void> run_script(const std::string& sql);

  // False also after SQLite rolled a transaction back by itself (full disk, I/O error).
  [[nodiscard]] bool in_transaction() const { return sqlite3_get_autocommit(connection_.get()) == 0; }

 private:
  struct Close {
    void operator()(sqlite3* connection) const { sqlite3_close(connection); }
  };
  using Handle = std::unique_ptr<sqlite3, Close>;

  explicit SqliteConnection(Handle connection) : connection_(std::move(connection)) {}
  [[nodiscard]] Result<Answer> run(std::string_view sql, const std::vector<Value>& parameters);
  // Binds and steps to the end; `rows` may be null.
  [[nodiscard]] Result<void> step_through(std::string_view sql, const std::vector<Value>& parameters,
                                          std::vector<Row>* rows);

  Handle connection_;
  StatementCache statements_;
};

// What an SQLite result code means to a caller.
[[nodiscard]] Errc code_of(int sqlite_result);

}  // namespace trawl::db::detail
