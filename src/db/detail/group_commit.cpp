#include "db/detail/group_commit.h"

#include <stdexcept>

#include <fmt/format.h>

#include "base/log.h"

namespace trawl::db::detail {
namespace {

class SqliteTransaction final : public Transaction {
 public:
  // `actions` is null in a read.
  SqliteTransaction(SqliteConnection& connection, std::vector<std::function<void()>>* actions)
      : connection_(connection), actions_(actions) {}

  Result<std::vector<Row>> query(std::string_view sql, std::vector<Value> parameters) override {
    return connection_.query(sql, parameters);
  }
  Result<std::int64_t> execute(std::string_view sql, std::vector<Value> parameters) override {
    return connection_.execute(sql, parameters);
  }
  void on_commit(std::function<void()> action) override {
    if (!actions_) throw std::logic_error("on_commit in a read");
    actions_->push_back(std::move(action));
  }

 private:
  SqliteConnection& connection_;
  std::vector<std::function<void()>>* actions_;
};

Error thrown(std::string_view what) {
  return fail(Errc::internal, fmt::format("the work given to the database threw: {}", what)).error();
}

std::optional<Error> attempt(Work& work, Transaction& transaction) {
  try {
    return work(transaction);
  } catch (const std::exception& error) {
    return thrown(error.what());
  } catch (...) {
    return thrown("something that is no std::exception");
  }
}

void fail_all(std::span<Submission> group, const Error& error) {
  for (Submission& submission : group) {
    if (!submission.failure) submission.failure = error;
  }
}

void roll_back(SqliteConnection& connection) {
  if (!connection.in_transaction()) return;
  if (const auto done = connection.execute("ROLLBACK"); !done) {
    log_error("cannot roll a transaction back", {{"error", done.error().message}});
  }
}

void run_in_savepoint(SqliteConnection& connection, Submission& submission) {
  if (const auto begun = connection.execute("SAVEPOINT work"); !begun) {
    submission.failure = begun.error();
    return roll_back(connection);
  }
  SqliteTransaction transaction(connection, &submission.on_commit);
  submission.failure = attempt(submission.work, transaction);
  if (submission.failure && connection.in_transaction()) {
    // If even this fails, the changes of this work cannot be told from those of the others.
    if (!connection.execute("ROLLBACK TO work")) return roll_back(connection);
  }
  if (!connection.in_transaction()) return;
  if (const auto released = connection.execute("RELEASE work"); !released) {
    if (!submission.failure) submission.failure = released.error();
    roll_back(connection);
  }
}

// Runs works from the front in one transaction and returns how many are settled.
std::size_t run_transaction(SqliteConnection& connection, std::span<Submission> group) {
  roll_back(connection);
  if (const auto begun = connection.execute("BEGIN IMMEDIATE"); !begun) {
    fail_all(group, begun.error());
    return group.size();
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    run_in_savepoint(connection, group[i]);
    if (connection.in_transaction()) continue;
    const Error lost = fail(Errc::unavailable, "the database gave the transaction up; try again").error();
    fail_all(group.first(i + 1), group[i].failure.value_or(lost));
    return i + 1;
  }
  if (const auto committed = connection.execute("COMMIT"); !committed) {
    fail_all(group, committed.error());
    roll_back(connection);
  }
  return group.size();
}

}  // namespace

void commit_together(SqliteConnection& connection, std::span<Submission> group) {
  while (!group.empty()) group = group.subspan(run_transaction(connection, group));
}

void read_each(SqliteConnection& connection, std::span<Submission> group) {
  for (Submission& submission : group) {
    if (const auto begun = connection.execute("BEGIN"); !begun) {
      submission.failure = begun.error();
      continue;
    }
    SqliteTransaction transaction(connection, nullptr);
    submission.failure = attempt(submission.work, transaction);
    roll_back(connection);
  }
}

}  // namespace trawl::db::detail
