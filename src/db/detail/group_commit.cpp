#include "db/detail/group_commit.h"

#include "base/failpoint.h"
#include "base/log.h"
#include "db/detail/work_thread.h"
#include "db/detail/work_transaction.h"

namespace trawl::db::detail {
namespace {

using SqliteTransaction = WorkTransaction<SqliteConnection>;

std::optional<Error> attempt_all(Work& work, SqliteTransaction& transaction) {
  auto failure = attempt(work, transaction);
  if (!failure) transaction.flush();
  return failure ? failure : transaction.failure();
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

void run_in_savepoint(SqliteConnection& connection, Submission& submission, const Clock& clock) {
  if (const auto begun = connection.execute("SAVEPOINT work"); !begun) {
    submission.failure = begun.error();
    return roll_back(connection);
  }
  SqliteTransaction transaction(connection, clock.now(), &submission.on_commit);
  submission.failure = attempt_all(submission.work, transaction);
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
std::size_t run_transaction(SqliteConnection& connection, std::span<Submission> group, const Clock& clock) {
  roll_back(connection);
  if (const auto begun = connection.execute("BEGIN IMMEDIATE"); !begun) {
    fail_all(group, begun.error());
    return group.size();
  }
  for (std::size_t i = 0; i < group.size(); ++i) {
    run_in_savepoint(connection, group[i], clock);
    if (connection.in_transaction()) continue;
    const Error lost = fail(Errc::unavailable, "the database gave the transaction up; try again").error();
    fail_all(group.first(i + 1), group[i].failure.value_or(lost));
    return i + 1;
  }
  failpoint("commit.before");
  if (const auto committed = connection.execute("COMMIT"); !committed) {
    fail_all(group, committed.error());
    roll_back(connection);
  }
  failpoint("commit.after");
  return group.size();
}

}  // namespace

void commit_together(SqliteConnection& connection, std::span<Submission> group, const Clock& clock) {
  while (!group.empty()) group = group.subspan(run_transaction(connection, group, clock));
}

void read_each(SqliteConnection& connection, std::span<Submission> group, const Clock& clock) {
  for (Submission& submission : group) {
    if (const auto begun = connection.execute("BEGIN"); !begun) {
      submission.failure = begun.error();
      continue;
    }
    SqliteTransaction transaction(connection, clock.now(), nullptr);
    submission.failure = attempt_all(submission.work, transaction);
    roll_back(connection);
  }
}

}  // namespace trawl::db::detail
