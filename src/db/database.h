#pragma once

#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"

namespace trawl::db {

// What a parameter or a column can hold; monostate is SQL NULL. Text is UTF-8 (PostgreSQL turns a NUL
// in it into U+FFFD). Booleans are integers in both databases: bind 0 or 1 and read with Row::boolean.
//
// A NULL parameter should say of what type it is, as null_or() does: PostgreSQL cannot tell from
// "$1 IS NULL OR id = $1".
struct NullInteger {
  friend bool operator==(NullInteger, NullInteger) = default;
};
struct NullText {
  friend bool operator==(NullText, NullText) = default;
};
using Value = std::variant<std::monostate, std::int64_t, double, std::string, NullInteger, NullText>;

[[nodiscard]] Value null_or(std::optional<std::string> text);
[[nodiscard]] Value null_or(std::optional<std::int64_t> number);

// One row of an answer. Columns are read by position; asking for the wrong type is a bug and throws.
class Row {
 public:
  explicit Row(std::vector<Value> columns) : columns_(std::move(columns)) {}

  [[nodiscard]] bool null(std::size_t column) const;
  [[nodiscard]] std::int64_t integer(std::size_t column) const;
  [[nodiscard]] bool boolean(std::size_t column) const;  // An integer: 0 is false.
  [[nodiscard]] double real(std::size_t column) const;   // Accepts integers.
  [[nodiscard]] const std::string& text(std::size_t column) const;
  [[nodiscard]] std::optional<std::int64_t> maybe_integer(std::size_t column) const;
  [[nodiscard]] std::optional<std::string> maybe_text(std::size_t column) const;

 private:
  std::vector<Value> columns_;
};

struct Statement {
  std::string sql;
  std::vector<Value> parameters = {};
};

// Statements of one transaction, on a thread of the database. Parameters are $1, $2, ... in both
// databases; CONTRIBUTING.md says how to write SQL that both take. Errors: conflict (a constraint),
// no_space, unavailable (busy or gone), internal. After a statement that failed every further one
// fails too and nothing is committed.
class Transaction {
 public:
  virtual ~Transaction() = default;
  [[nodiscard]] virtual Result<std::vector<Row>> query(std::string_view sql,
                                                       std::vector<Value> parameters = {}) = 0;
  // Returns the number of rows changed.
  [[nodiscard]] virtual Result<std::int64_t> execute(std::string_view sql,
                                                     std::vector<Value> parameters = {}) = 0;
  // The rows of each of them, run in this order. A server is asked once for all.
  [[nodiscard]] virtual Result<std::vector<std::vector<Row>>> query_all(
      std::vector<Statement> statements) = 0;
  // Runs it before the next statement, or before the commit, so that no round trip is spent on its answer.
  // What it fails with fails the transaction. `then` gets its rows, on the same thread.
  using Then = std::function<void(const std::vector<Row>&)>;
  virtual void later(Statement statement, Then then = {}) = 0;
  // The time by the database's clock, which all its users share: leases, delays and deadlines are
  // made with it and compared with it, never with the clock of a process. The same for the whole
  // transaction.
  [[nodiscard]] virtual SystemTime now() const = 0;
  // Runs `action` on the loop's executor after the commit is durable, in commit order; never if the
  // transaction fails. Events are published this way, so nobody hears of what did not happen.
  virtual void on_commit(std::function<void()> action) = 0;
};

// Runs in a transaction of its own; nullopt means that it may be committed, else the error that
// rolls it back.
using Work = std::move_only_function<std::optional<Error>(Transaction&)>;

// A database that outlives the process. Writes are durable when they return.
//
// `work` runs on a thread of the database: it sees only what it captures and must not wait for
// anything. A `work` that throws fails with internal. The database must be closed before the executors
// of its callers end.
//
// SQLite: writes are serialised; those that arrive together share one commit, each in its own
// savepoint, so one that fails takes only its own changes with it; a commit that fails takes all of
// them. PostgreSQL: works run side by side at READ COMMITTED, so two of them see each other's commits
// between their statements; a guarded UPDATE decides, and /*pg FOR UPDATE*/ holds a row that was read.
// When the connection is lost during a commit the write fails with unavailable and may have happened.
class Database {
 public:
  virtual ~Database() = default;

  template <class F, class R = std::invoke_result_t<F, Transaction&>>
  [[nodiscard]] Task<R> write(F work) {
    return submit<R>(std::move(work), Mode::write);
  }
  // A consistent snapshot that holds every write that returned before; on_commit throws.
  template <class F, class R = std::invoke_result_t<F, Transaction&>>
  [[nodiscard]] Task<R> read(F work) {
    return submit<R>(std::move(work), Mode::read);
  }

  // The disk is full: what is under way can still be written, but nothing new should begin.
  [[nodiscard]] virtual bool short_of_space() const { return false; }

  // Finishes what was submitted and closes. Later submissions fail with unavailable.
  virtual void close() = 0;

 protected:
  enum class Mode { read, write };
  // Returns nullopt once `work` is committed, else why it was not.
  [[nodiscard]] virtual Task<std::optional<Error>> run(Work work, Mode mode) = 0;

 private:
  template <class R, class F>
  Task<R> submit(F work, Mode mode) {
    auto result = std::make_shared<std::optional<R>>();
    const std::optional<Error> failure = co_await run(
        [result, work = std::move(work)](Transaction& transaction) mutable -> std::optional<Error> {
          R out = work(transaction);
          if (!out) return out.error();
          result->emplace(std::move(out));
          return std::nullopt;
        },
        mode);
    if (failure) co_return fail(*failure);
    co_return std::move(**result);
  }
};

// Opens (and creates) an SQLite file: WAL, synchronous=FULL, foreign keys on; takes an exclusive
// lock file beside it, so a second process fails with Errc::conflict, reason "database_locked".
// Brings the schema up to date (migrations.h). `loop` is where on_commit actions run, in the order
// of the commits and before the callers of those writes go on. `clock` stands in for the database's
// own in tests.
[[nodiscard]] Result<std::unique_ptr<Database>> open_sqlite(const std::filesystem::path& file,
                                                            asio::any_io_executor loop,
                                                            const Clock* clock = nullptr);

// Connects to a PostgreSQL server ("postgresql://user@host/name") with a pool of `connections`, each
// on its own thread, and brings the schema up to date under a lock that all nodes share. Fails if the
// server cannot be reached now; later losses fail the works under way with Errc::unavailable, and the
// connection is made again for the next.
[[nodiscard]] Result<std::unique_ptr<Database>> open_postgres(const std::string& url,
                                                              asio::any_io_executor loop,
                                                              std::size_t connections = 8,
                                                              const Clock* clock = nullptr);

}  // namespace trawl::db
