#include "jobs/detail/change.h"

#include <fmt/format.h>

#include "base/text.h"
#include "jobs/job_row.h"

namespace trawl::jobs::detail {
namespace {

std::string more_columns(const Change& change) {
  std::string out;
  // The holder keeps its lease until it has stopped.
  if (change.to != State::cancelling) out += ", owner = NULL, lease_until = NULL";
  if (change.to == State::completed) out += ", checkpoint = '{}'";
  if (change.new_round) out += ", replays = replays + 1, deadline = NULL";
  return out;
}

db::Value maybe(std::optional<int> number) {
  return db::null_or(number ? std::optional<std::int64_t>(*number) : std::nullopt);
}

// What the row still says of the attempt that ends here.
Result<void> record_attempt(db::Transaction& transaction, const Change& change, SystemTime now) {
  const auto recorded = transaction.execute(
      "INSERT INTO job_attempts (job_id, epoch, worker, started_at, ended_at, state, error_code, "
      "error_message)"
      " SELECT id, epoch, COALESCE(owner, ''), COALESCE(claimed_at, $3), $3, $4, $5, $6 FROM jobs"
      " WHERE id = $1 AND epoch = $2 AND state = 'running' ON CONFLICT (job_id, epoch) DO NOTHING",
      {change.id.str(), change.epoch, to_millis(now), std::string(to_text(change.to)), change.error->reason,
       to_valid_utf8(change.error->message)});
  if (!recorded) return trawl::fail(recorded.error());
  return {};
}

Result<Job> select_one(db::Transaction& transaction, const JobId& id, std::string_view how) {
  auto rows =
      transaction.query(fmt::format("SELECT {} FROM jobs WHERE id = $1 {}", kJobColumns, how), {id.str()});
  if (!rows) return trawl::fail(std::move(rows.error()));
  if (rows->empty()) return trawl::fail(Errc::not_found, fmt::format("there is no download {}", id.str()));
  return read_job(rows->front());
}

}  // namespace

std::string text_of(const json::object& document) {
  return json::serialize(document);
}

std::string sources_of(Step by, State to) {
  std::string list;
  for (const Transition& known : kTransitions) {
    if (known.by == by && known.to == to)
      list += fmt::format("{}'{}'", list.empty() ? "" : ", ", to_text(known.from));
  }
  return list;
}

std::string_view phase_of(State state) {
  switch (state) {
    case State::running:
      return "extracting";
    case State::cancelling:
      return "cancelling";
    case State::scheduled:
    case State::queued:
    case State::paused:
    case State::retry_wait:
      return "waiting";
    default:
      return "finished";
  }
}

std::unexpected<Error> fenced(const JobId& id) {
  return trawl::fail(Errc::conflict, fmt::format("job {} was handed to somebody else or has ended", id.str()),
                     "lease_lost");
}

Result<void> apply(db::Transaction& transaction, const Change& change, SystemTime now) {
  if (change.error) {
    if (auto recorded = record_attempt(transaction, change, now); !recorded) return recorded;
  }
  const auto changed = transaction.execute(
      fmt::format(
          "UPDATE jobs SET state = $1, phase = $2, updated_at = $3, error_code = $4, error_message = $5,"
          " result = COALESCE($6, result), not_before = COALESCE($7, not_before), turn = COALESCE($8, turn),"
          " failures = COALESCE($9, failures), crashes = COALESCE($10, crashes),"
          " losses = COALESCE($11, losses), completed_at = $12, pause_asked = 0{}"
          " WHERE id = $13 AND epoch = $14 AND state IN ({})",
          more_columns(change), sources_of(change.by, change.to)),
      {std::string(to_text(change.to)), std::string(phase_of(change.to)), to_millis(now),
       db::null_or(change.error ? std::optional(change.error->reason) : std::nullopt),
       db::null_or(change.error ? std::optional(to_valid_utf8(change.error->message)) : std::nullopt),
       db::null_or(change.result ? std::optional(text_of(*change.result)) : std::nullopt),
       db::null_or(change.not_before ? std::optional(to_millis(*change.not_before)) : std::nullopt),
       db::null_or(change.turn), maybe(change.failures), maybe(change.crashes), maybe(change.losses),
       db::null_or(final(change.to) ? std::optional(to_millis(now)) : std::nullopt), change.id.str(),
       change.epoch});
  if (!changed) return trawl::fail(changed.error());
  if (*changed == 0) return fenced(change.id);
  return {};
}

Result<Job> find_in(db::Transaction& transaction, const JobId& id) {
  return select_one(transaction, id, "");
}

Result<Job> hold_in(db::Transaction& transaction, const JobId& id) {
  return select_one(transaction, id, "/*pg FOR UPDATE*/");
}

Result<std::vector<Job>> read_jobs(const std::vector<db::Row>& rows) {
  std::vector<Job> jobs;
  for (const db::Row& row : rows) {
    auto job = read_job(row);
    if (!job) return trawl::fail(std::move(job.error()));
    jobs.push_back(std::move(*job));
  }
  return jobs;
}

}  // namespace trawl::jobs::detail
