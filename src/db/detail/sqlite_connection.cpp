#include "db/detail/sqlite_connection.h"

#include <fmt/format.h>

namespace trawl::db::detail {
namespace {

std::unexpected<Error> sqlite_failure(sqlite3* connection, std::string_view sql) {
  return fail(code_of(sqlite3_extended_errcode(connection)),
              fmt::format("database: {} (in \"{}\")", sqlite3_errmsg(connection), sql.substr(0, 120)));
}

// Leaves the statement ready for its next use, whatever happened.
struct ResetAtEnd {
  sqlite3_stmt* statement;
  ~ResetAtEnd() {
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
  }
};

// Not copied by SQLite: the values outlive the steps.
int bind(sqlite3_stmt* statement, int index, const Value& value) {
  struct Binder {
    sqlite3_stmt* statement;
    int index;
    int operator()(std::monostate) const { return sqlite3_bind_null(statement, index); }
    int operator()(NullInteger) const { return sqlite3_bind_null(statement, index); }
    int operator()(NullText) const { return sqlite3_bind_null(statement, index); }
    int operator()(std::int64_t v) const { return sqlite3_bind_int64(statement, index, v); }
    int operator()(double v) const { return sqlite3_bind_double(statement, index, v); }
    int operator()(const std::string& v) const {
      return sqlite3_bind_text64(statement, index, v.data(), v.size(), SQLITE_STATIC, SQLITE_UTF8);
    }
  };
  return std::visit(Binder{statement, index}, value);
}

Result<void> bind_all(sqlite3* connection, sqlite3_stmt* statement, std::string_view sql,
                      const std::vector<Value>& parameters) {
  const auto wanted = static_cast<std::size_t>(sqlite3_bind_parameter_count(statement));
  if (wanted != parameters.size()) {
    return fail(Errc::internal, fmt::format("database: {} parameters wanted, {} given (in \"{}\")", wanted,
                                            parameters.size(), sql.substr(0, 120)));
  }
  for (std::size_t i = 0; i < parameters.size(); ++i) {
    const std::string name = fmt::format("${}", i + 1);
    const int index = sqlite3_bind_parameter_index(statement, name.c_str());
    if (index == 0) {
      return fail(Errc::internal,
                  fmt::format("database: no parameter {} in \"{}\"", name, sql.substr(0, 120)));
    }
    if (bind(statement, index, parameters[i]) != SQLITE_OK) return sqlite_failure(connection, sql);
  }
  return {};
}

Value column_value(sqlite3_stmt* statement, int column) {
  switch (sqlite3_column_type(statement, column)) {
    case SQLITE_NULL:
      return std::monostate();
    case SQLITE_INTEGER:
      return std::int64_t{sqlite3_column_int64(statement, column)};
    case SQLITE_FLOAT:
      return sqlite3_column_double(statement, column);
    default: {
      const auto* text = reinterpret_cast<const char*>(sqlite3_column_text(statement, column));
      return text ? std::string(text, static_cast<std::size_t>(sqlite3_column_bytes(statement, column)))
                  : std::string();
    }
  }
}

Row current_row(sqlite3_stmt* statement) {
  std::vector<Value> columns;
  const int count = sqlite3_column_count(statement);
  columns.reserve(static_cast<std::size_t>(count));
  for (int i = 0; i < count; ++i) columns.push_back(column_value(statement, i));
  return Row(std::move(columns));
}

}  // namespace

Errc code_of(int sqlite_result) {
  switch (sqlite_result & 0xff) {
    case SQLITE_FULL:
      return Errc::no_space;
    case SQLITE_CONSTRAINT:
      return Errc::conflict;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_IOERR:
    case SQLITE_CANTOPEN:
      return Errc::unavailable;
    default:
      return Errc::internal;
  }
}

Result<sqlite3_stmt*> StatementCache::get(sqlite3* connection, std::string_view sql) {
  if (const auto known = by_sql_.find(sql); known != by_sql_.end()) {
    entries_.splice(entries_.begin(), entries_, known->second);
    return entries_.front().statement.get();
  }
  sqlite3_stmt* raw = nullptr;
  const char* rest = nullptr;
  const int result = sqlite3_prepare_v3(connection, sql.data(), static_cast<int>(sql.size()),
                                        SQLITE_PREPARE_PERSISTENT, &raw, &rest);
  std::unique_ptr<sqlite3_stmt, Finalize> statement(raw);
  if (result != SQLITE_OK) return sqlite_failure(connection, sql);
  const std::string_view tail(rest, static_cast<std::size_t>(sql.data() + sql.size() - rest));
  if (!statement || tail.find_first_not_of(" \t\r\n;") != std::string_view::npos) {
    return fail(Errc::internal,
                fmt::format("database: not exactly one statement: \"{}\"", sql.substr(0, 120)));
  }
  if (entries_.size() == kCapacity) {
    by_sql_.erase(entries_.back().sql);
    entries_.pop_back();
  }
  entries_.push_front({std::string(sql), std::move(statement)});
  by_sql_.emplace(entries_.front().sql, entries_.begin());
  return entries_.front().statement.get();
}

Result<SqliteConnection> SqliteConnection::open(const std::filesystem::path& file, Access access) {
  sqlite3* raw = nullptr;
  const int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
  const int result = sqlite3_open_v2(file.c_str(), &raw, flags, nullptr);
  Handle handle(raw);
  if (result != SQLITE_OK) {
    return fail(code_of(result), fmt::format("cannot open the database {}: {}", file.string(),
                                             raw ? sqlite3_errmsg(raw) : "out of memory"));
  }
  sqlite3_extended_result_codes(raw, 1);
  sqlite3_busy_timeout(raw, 5000);

  SqliteConnection connection(std::move(handle));
  const auto mode = connection.query("PRAGMA journal_mode = WAL");
  if (!mode) return fail(mode.error());
  if (mode->empty() || mode->front().text(0) != "wal") {
    return fail(
        Errc::unavailable,
        fmt::format("the file system of {} does not support SQLite's WAL; use a local disk", file.string()));
  }
  const auto ready = connection.run_script(
      "PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON; PRAGMA trusted_schema = OFF;"
      "PRAGMA temp_store = MEMORY; PRAGMA journal_size_limit = 16777216;");
  if (!ready) return fail(ready.error());
  if (access == Access::read_only) {
    if (const auto guarded = connection.run_script("PRAGMA query_only = ON"); !guarded)
      return fail(guarded.error());
  }
  return connection;
}

Result<void> SqliteConnection::step_through(std::string_view sql, const std::vector<Value>& parameters,
                                            std::vector<Row>* rows) {
  const auto statement = statements_.get(connection_.get(), sql);
  if (!statement) return fail(statement.error());
  const ResetAtEnd reset{*statement};
  if (auto bound = bind_all(connection_.get(), *statement, sql, parameters); !bound) return bound;
  while (true) {
    const int result = sqlite3_step(*statement);
    if (result == SQLITE_DONE) return {};
    if (result != SQLITE_ROW) return sqlite_failure(connection_.get(), sql);
    if (rows) rows->push_back(current_row(*statement));
  }
}

Result<Answer> SqliteConnection::run(std::string_view sql, const std::vector<Value>& parameters) {
  const std::int64_t before = sqlite3_total_changes64(connection_.get());
  Answer answer;
  if (const auto done = step_through(sql, parameters, &answer.rows); !done) return fail(done.error());
  // sqlite3_changes64 alone would repeat the last count after a statement that changes no rows.
  if (sqlite3_total_changes64(connection_.get()) != before)
    answer.changed = sqlite3_changes64(connection_.get());
  return answer;
}

Result<std::vector<Row>> SqliteConnection::query(std::string_view sql, const std::vector<Value>& parameters) {
  auto answer = run(sql, parameters);
  if (!answer) return fail(std::move(answer.error()));
  return std::move(answer->rows);
}

Result<std::int64_t> SqliteConnection::execute(std::string_view sql, const std::vector<Value>& parameters) {
  const auto answer = run(sql, parameters);
  if (!answer) return fail(answer.error());
  return answer->changed;
}

Result<std::vector<Answer>> SqliteConnection::run_all(const std::vector<Statement>& statements) {
  std::vector<Answer> answers;
  for (const Statement& statement : statements) {
    auto answer = run(statement.sql, statement.parameters);
    if (!answer) return fail(std::move(answer.error()));
    answers.push_back(std::move(*answer));
  }
  return answers;
}

Result<void> SqliteConnection::run_script(const std::string& sql) {
  if (sqlite3_exec(connection_.get(), sql.c_str(), nullptr, nullptr, nullptr) == SQLITE_OK) return {};
  return sqlite_failure(connection_.get(), sql);
}

}  // namespace trawl::db::detail
