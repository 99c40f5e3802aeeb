#include <deque>
#include <optional>

#include <boost/asio/async_result.hpp>
#include <fmt/format.h>

#include "db/database.h"
#include "db/detail/commit_order.h"
#include "db/detail/postgres_connection.h"
#include "db/detail/postgres_schema.h"
#include "db/detail/work_thread.h"
#include "db/detail/work_transaction.h"

namespace trawl::db {
namespace {

using detail::CommitOrder;
using detail::PostgresConnection;
using detail::Submission;
using detail::WorkThreads;
using detail::WorkTransaction;

constexpr std::string_view kClock = "SELECT CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)";

using PostgresTransaction = WorkTransaction<PostgresConnection>;

// One thread's connection, made again when it was lost.
class Session {
 public:
  Session(const std::string& url, const Clock* clock) : url_(url), clock_(clock) {}

  void run(Submission submission, CommitOrder& order, const asio::any_io_executor& loop) {
    const auto now = begin(submission.reads_only);
    if (!now) {
      submission.failure = now.error();
      return deliver_now(std::move(submission), loop);
    }
    PostgresTransaction transaction(*connection_, *now,
                                    submission.reads_only ? nullptr : &submission.on_commit);
    submission.failure = detail::attempt(submission.work, transaction);
    if (!submission.failure) submission.failure = transaction.failure();
    if (submission.failure || submission.reads_only) {
      roll_back();
      return deliver_now(std::move(submission), loop);
    }
    const std::uint64_t number = order.take();
    submission.failure = commit(transaction);
    order.settled(number, std::move(submission));
  }

 private:
  static void deliver_now(Submission submission, const asio::any_io_executor& loop) {
    std::vector<Submission> one;
    one.push_back(std::move(submission));
    detail::deliver(loop, std::move(one));
  }

  // Together with what was left for later.
  std::optional<Error> commit(PostgresTransaction& transaction) {
    auto statements = transaction.take_pending();
    statements.push_back({"COMMIT"});
    auto answers = connection_->run_all(statements);
    if (!answers) {
      roll_back();
      return answers.error();
    }
    transaction.settle(*answers);
    return std::nullopt;
  }

  void roll_back() {
    if (connection_->in_transaction()) (void)connection_->run_script("ROLLBACK");
  }

  // The time at which the transaction began. A connection that died while it was idle is replaced.
  Result<SystemTime> begin(bool reads_only) {
    const std::string sql =
        fmt::format("BEGIN ISOLATION LEVEL {}; {}",
                    reads_only ? "REPEATABLE READ, READ ONLY" : "READ COMMITTED, READ WRITE", kClock);
    for (int attempt = 0;; ++attempt) {
      if (auto connected = connect(); !connected) return fail(connected.error());
      const auto begun = connection_->run_script(sql);
      if (begun) return clock_ ? clock_->now() : SystemTime(Millis(begun->front().integer(0)));
      if (connection_->alive() || attempt == 1) return fail(begun.error());
    }
  }

  Result<void> connect() {
    if (connection_ && connection_->alive()) return {};
    connection_.reset();
    auto opened = PostgresConnection::open(url_);
    if (!opened) return fail(opened.error());
    connection_.emplace(std::move(*opened));
    return {};
  }

  const std::string& url_;
  const Clock* clock_;
  std::optional<PostgresConnection> connection_;
};

class PostgresDatabase final : public Database {
 public:
  PostgresDatabase(std::string url, const asio::any_io_executor& loop, std::size_t connections,
                   const Clock* clock)
      : url_(std::move(url)), order_(loop), threads_(1, runners(loop, connections, clock)) {}

  void close() override { threads_.close(); }

 protected:
  Task<std::optional<Error>> run(Work work, Mode mode) override {
    asio::executor_work_guard<asio::any_io_executor> caller(co_await asio::this_coro::executor);
    co_return co_await asio::async_initiate<decltype(asio::use_awaitable), void(std::optional<Error>)>(
        [this, mode, &work, &caller](auto handler) {
          threads_.submit({.work = std::move(work),
                           .reads_only = mode == Mode::read,
                           .handler = std::move(handler),
                           .caller = std::move(caller)});
        },
        asio::use_awaitable);
  }

 private:
  std::vector<WorkThreads::RunGroup> runners(const asio::any_io_executor& loop, std::size_t connections,
                                             const Clock* clock) {
    std::vector<WorkThreads::RunGroup> out;
    for (std::size_t i = 0; i < connections; ++i) {
      Session& session = sessions_.emplace_back(url_, clock);
      out.emplace_back([this, loop, &session](std::vector<Submission> group) {
        for (Submission& submission : group) session.run(std::move(submission), order_, loop);
      });
    }
    return out;
  }

  const std::string url_;
  CommitOrder order_;
  std::deque<Session> sessions_;
  WorkThreads threads_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_postgres(const std::string& url, asio::any_io_executor loop,
                                                std::size_t connections, const Clock* clock) {
  auto connection = PostgresConnection::open(url);
  if (!connection) return fail(connection.error());
  if (const auto migrated = detail::migrate(*connection, migrations()); !migrated)
    return fail(migrated.error());
  return std::make_unique<PostgresDatabase>(url, loop, connections, clock);
}

}  // namespace trawl::db
