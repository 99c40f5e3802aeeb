#include "jobs/detail/breakers.h"

#include <fmt/format.h>

#include "base/text.h"
#include "jobs/job_row.h"

namespace trawl::jobs::detail {
namespace {

constexpr std::string_view kColumns =
    "origin, failures, open_until, probe, last_error, updated_at, window_start, window_calls, "
    "window_failures";

std::string select(std::string_view where) {
  return fmt::format("SELECT {} FROM breakers {} ORDER BY origin", kColumns, where);
}

Result<void> run(db::Transaction& transaction, std::string_view sql, std::vector<db::Value> parameters) {
  const auto done = transaction.execute(sql, std::move(parameters));
  if (!done) return trawl::fail(done.error());
  return {};
}

Result<void> store(db::Transaction& transaction, const Breaker& breaker) {
  return run(transaction,
             fmt::format("INSERT INTO breakers ({}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9)"
                         " ON CONFLICT (origin) DO UPDATE SET failures = excluded.failures,"
                         " open_until = excluded.open_until, probe = excluded.probe,"
                         " last_error = excluded.last_error, updated_at = excluded.updated_at,"
                         " window_start = excluded.window_start, window_calls = excluded.window_calls,"
                         " window_failures = excluded.window_failures",
                         kColumns),
             {breaker.origin, std::int64_t{breaker.failures},
              db::null_or(breaker.open_until ? std::optional(to_millis(*breaker.open_until)) : std::nullopt),
              db::null_or(breaker.probe), to_valid_utf8(breaker.last_error), to_millis(breaker.updated_at),
              to_millis(breaker.window.start), std::int64_t{breaker.window.calls},
              std::int64_t{breaker.window.failures}});
}

// Errors that only somebody who answers can cause.
bool shows_an_answer(const Error& error) {
  return error.code == Errc::not_found || error.code == Errc::unauthorized ||
         error.code == Errc::rate_limited || error.reason == "origin_forbidden";
}

}  // namespace

std::vector<Breaker> read_breakers(const std::vector<db::Row>& rows) {
  std::vector<Breaker> out;
  for (const db::Row& row : rows) {
    const auto until = row.maybe_integer(2);
    out.push_back({.origin = row.text(0),
                   .failures = static_cast<int>(row.integer(1)),
                   .window = {.start = SystemTime(Millis(row.integer(6))),
                              .calls = static_cast<int>(row.integer(7)),
                              .failures = static_cast<int>(row.integer(8))},
                   .open_until = until ? std::optional(SystemTime(Millis(*until))) : std::nullopt,
                   .probe = row.maybe_text(3),
                   .last_error = row.text(4),
                   .updated_at = SystemTime(Millis(row.integer(5)))});
  }
  return out;
}

Result<std::vector<Breaker>> all_breakers(db::Transaction& transaction) {
  const auto rows = transaction.query(select("WHERE failures > 0 OR window_failures > 0"));
  if (!rows) return trawl::fail(rows.error());
  return read_breakers(*rows);
}

db::Statement open_breakers() {
  return {select("WHERE open_until IS NOT NULL")};
}

Result<void> set_probe(db::Transaction& transaction, const std::string& origin, const JobId& job,
                       SystemTime now) {
  return run(transaction, "UPDATE breakers SET probe = $1, updated_at = $2 WHERE origin = $3",
             {job.str(), to_millis(now), origin});
}

void forget_probe(db::Transaction& transaction, const JobId& job) {
  transaction.later({"UPDATE breakers SET probe = NULL WHERE probe = $1", {job.str()}});
}

void note_answer(db::Transaction& transaction, const JobId& job) {
  transaction.later(
      {"UPDATE breakers SET failures = 0, open_until = NULL, probe = NULL, window_calls = window_calls + 1"
       " WHERE origin = (SELECT origin FROM jobs WHERE id = $1) AND (open_until IS NULL OR open_until <= $2)",
       {job.str(), to_millis(transaction.now())}});
}

Result<void> note_failure(db::Transaction& transaction, const Job& job, const Error& error, SystemTime now,
                          const BreakerRules& rules) {
  if (job.origin.empty()) return {};
  if (shows_an_answer(error)) {
    note_answer(transaction, job.id);
    return {};
  }
  if (!blames_origin(error)) {
    forget_probe(transaction, job.id);
    return {};
  }
  const auto rows = transaction.query(select("WHERE origin = $1") + " /*pg FOR UPDATE*/", {job.origin});
  if (!rows) return trawl::fail(rows.error());
  auto known = read_breakers(*rows);
  Breaker breaker = known.empty() ? Breaker{.origin = job.origin} : std::move(known.front());
  // Jobs that were running when it opened say nothing new, and must not keep it open.
  if (breaker.state(now) == Breaker::State::open) return {};
  if (breaker.state(now) == Breaker::State::half_open && breaker.probe != job.id.str()) return {};
  return store(transaction, after_failure(std::move(breaker), error, now, rules));
}

Result<void> forget_answering(db::Transaction& transaction, const BreakerRules& rules) {
  return run(transaction, "DELETE FROM breakers WHERE failures = 0 AND window_start <= $1",
             {to_millis(transaction.now() - rules.window)});
}

}  // namespace trawl::jobs::detail
