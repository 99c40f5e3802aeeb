// The hand-out of jobs: who gets which, for how long, and what happens when a holder falls silent.

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "jobs/detail/breakers.h"
#include "jobs/detail/change.h"
#include "jobs/detail/hand_out.h"
#include "jobs/idempotency.h"
#include "jobs/job_row.h"
#include "jobs/job_store.h"
#include "jobs/turn.h"

namespace trawl::jobs {
namespace {

using detail::Change;
using detail::read_jobs;

// How many are moved in one transaction, so that none is long.
constexpr std::int64_t kAtOnce = 500;

// The first job of an origin whose breaker is half open is the one that tries it.
Result<void> name_probes(db::Transaction& transaction, const Load& load, const std::vector<Job>& jobs,
                         SystemTime now) {
  for (const Job& job : jobs) {
    if (!load.room.contains(job.origin)) continue;
    if (auto named = detail::set_probe(transaction, job.origin, job.id, now); !named) return named;
  }
  return {};
}

std::string list_of(std::size_t first, std::size_t count) {
  std::string out;
  for (std::size_t i = 0; i < count; ++i) out += fmt::format("{}${}", i == 0 ? "" : ", ", first + i);
  return out;
}

db::Statement due_statement(SystemTime now) {
  return {fmt::format("SELECT id, epoch, state, priority, not_before FROM jobs WHERE state IN ({})"
                      " AND not_before <= $1 ORDER BY not_before LIMIT $2 /*pg FOR UPDATE SKIP LOCKED*/",
                      detail::sources_of(Step::due, State::queued)),
          {to_millis(now), kAtOnce}};
}

}  // namespace

Result<std::vector<JobId>> JobStore::choose(db::Transaction& transaction, Load& load, std::size_t limit) {
  const SystemTime now = transaction.now();
  auto candidates = detail::heads_of_queues(transaction, limit, load, options_.caps);
  if (!candidates) return trawl::fail(candidates.error());
  auto chosen = share_out(std::move(*candidates), load, options_.caps, limit, now);
  detail::write_turns(transaction, load, now);
  return chosen;
}

Task<Result<std::vector<Job>>> JobStore::claim(std::string owner, std::size_t limit, Millis length) {
  co_return co_await database_.write([this, owner = std::move(owner), limit,
                                      length](db::Transaction& transaction) -> Result<std::vector<Job>> {
    auto scene = detail::survey(transaction, due_statement(transaction.now()), transaction.now());
    if (!scene) return trawl::fail(scene.error());
    if (auto due = queue_all(transaction, scene->due); !due) return trawl::fail(due.error());
    const auto chosen = choose(transaction, scene->load, limit);
    if (!chosen) return trawl::fail(chosen.error());
    if (chosen->empty()) return std::vector<Job>();
    failpoint("claim.chosen");
    const SystemTime now = transaction.now();
    std::vector<db::Value> parameters{owner, to_millis(now + length), to_millis(now)};
    for (const JobId& id : *chosen) parameters.emplace_back(id.str());
    auto rows = transaction.query(
        fmt::format("UPDATE jobs SET state = 'running', phase = 'extracting', epoch = epoch + 1, owner = $1,"
                    " lease_until = $2, started_at = COALESCE(started_at, $3), claimed_at = $3,"
                    " updated_at = $3, error_code = NULL, error_message = NULL, pause_asked = 0"
                    " WHERE id IN (SELECT id FROM jobs WHERE id IN ({}) AND state IN ({}) ORDER BY id"
                    " /*pg FOR UPDATE SKIP LOCKED*/) RETURNING {}",
                    list_of(4, chosen->size()), detail::sources_of(Step::claim, State::running), kJobColumns),
        std::move(parameters));
    if (!rows) return trawl::fail(std::move(rows.error()));
    failpoint("claim.after_rows");
    auto jobs = read_jobs(*rows);
    if (!jobs) return jobs;
    std::ranges::sort(*jobs, {}, [&](const Job& job) { return std::ranges::find(*chosen, job.id); });
    if (auto named = name_probes(transaction, scene->load, *jobs, now); !named)
      return trawl::fail(named.error());
    for (const Job& job : *jobs) {
      if (auto told = announce(transaction, {job.id, job.epoch}, State::running, job.phase, std::nullopt);
          !told)
        return trawl::fail(told.error());
    }
    return jobs;
  });
}

Task<Result<JobStore::Renewed>> JobStore::renew(std::vector<Lease> leases, Millis length) {
  co_return co_await database_.write([leases = std::move(leases),
                                      length](db::Transaction& transaction) -> Result<Renewed> {
    std::string pairs;
    std::vector<db::Value> parameters{to_millis(transaction.now() + length)};
    for (const Lease& lease : leases) {
      parameters.emplace_back(lease.job.str());
      parameters.emplace_back(lease.epoch);
      pairs +=
          fmt::format("{}(${}, ${})", pairs.empty() ? "" : ", ", parameters.size() - 1, parameters.size());
    }
    auto rows = transaction.query(
        fmt::format("UPDATE jobs SET lease_until = $1 WHERE state IN ('running', 'cancelling')"
                    " AND (id, epoch) IN (VALUES {}) RETURNING id, epoch, state, pause_asked",
                    pairs),
        std::move(parameters));
    if (!rows) return trawl::fail(std::move(rows.error()));
    Renewed renewed;
    for (const db::Row& row : *rows) {
      const auto id = JobId::parse(row.text(0));
      if (!id) return trawl::fail(id.error());
      const Lease lease{*id, row.integer(1)};
      renewed.held.insert(lease);
      if (row.text(2) == to_text(State::cancelling))
        renewed.cancelling.insert(lease);
      else if (row.boolean(3))
        renewed.pausing.insert(lease);
    }
    return renewed;
  });
}

Result<std::size_t> JobStore::queue_due(db::Transaction& transaction) {
  const auto due = due_statement(transaction.now());
  const auto rows = transaction.query(due.sql, due.parameters);
  if (!rows) return trawl::fail(rows.error());
  return queue_all(transaction, *rows);
}

Result<std::size_t> JobStore::queue_all(db::Transaction& transaction, const std::vector<db::Row>& due) {
  for (const db::Row& row : due) {
    const auto id = JobId::parse(row.text(0));
    if (!id) return trawl::fail(id.error());
    Change next{.id = *id, .epoch = row.integer(1), .by = Step::due, .to = State::queued};
    // A retry keeps its place; it has waited its turn once.
    if (row.text(2) == to_text(State::scheduled))
      next.turn = turn_of(SystemTime(Millis(row.integer(4))), static_cast<int>(row.integer(3)));
    if (auto done = change(transaction, next); !done) return trawl::fail(done.error());
  }
  return due.size();
}

Result<std::size_t> JobStore::expire_waiting(db::Transaction& transaction) {
  const auto rows = transaction.query(
      "SELECT id, epoch FROM jobs WHERE deadline IS NOT NULL AND deadline <= $1"
      " AND state IN ('scheduled', 'queued', 'paused', 'retry_wait') ORDER BY deadline LIMIT $2"
      " /*pg FOR UPDATE SKIP LOCKED*/",
      {to_millis(transaction.now()), kAtOnce});
  if (!rows) return trawl::fail(rows.error());
  for (const db::Row& row : *rows) {
    const auto id = JobId::parse(row.text(0));
    if (!id) return trawl::fail(id.error());
    const auto done = change(transaction, {.id = *id,
                                           .epoch = row.integer(1),
                                           .by = Step::expire,
                                           .to = State::expired,
                                           .error = deadline_error()});
    if (!done) return trawl::fail(done.error());
  }
  return rows->size();
}

Task<Result<std::size_t>> JobStore::tend() {
  co_return co_await database_.write([this](db::Transaction& transaction) -> Result<std::size_t> {
    const auto expired = expire_waiting(transaction);
    if (!expired) return expired;
    const auto queued = queue_due(transaction);
    if (!queued) return queued;
    const auto forgotten = transaction.execute("DELETE FROM idempotency_keys WHERE created_at <= $1",
                                               {to_millis(transaction.now() - Idempotency::kKept)});
    if (!forgotten) return trawl::fail(forgotten.error());
    if (auto done = detail::forget_answering(transaction, options_.breaker); !done)
      return trawl::fail(done.error());
    return *expired + *queued;
  });
}

Result<void> JobStore::take_back(db::Transaction& transaction, const Job& job) {
  Change next{.id = job.id, .epoch = job.epoch, .by = Step::stopped, .to = State::cancelled};
  if (job.state == State::running) {
    const int losses = job.losses + 1;
    next.by = Step::release, next.to = State::queued, next.losses = losses;
    next.error = Error{Errc::unavailable, "the worker vanished while it ran this download", "worker_lost"};
    if (losses >= options_.budgets.lost_workers)
      next.by = Step::bury, next.to = State::dead;
    else if (job.pause_asked)
      next.by = Step::pause, next.to = State::paused;
  }
  return change(transaction, next);
}

Task<Result<std::size_t>> JobStore::reap(bool all_leases) {
  co_return co_await database_.write([this, all_leases](db::Transaction& transaction) -> Result<std::size_t> {
    auto rows = transaction.query(
        fmt::format(
            "SELECT {} FROM jobs WHERE state IN ('running', 'cancelling') AND ($1 = 1 OR lease_until < $2)"
            " ORDER BY id /*pg FOR UPDATE SKIP LOCKED*/",
            kListColumns),
        {std::int64_t{all_leases}, to_millis(transaction.now())});
    if (!rows) return trawl::fail(std::move(rows.error()));
    auto jobs = read_jobs(*rows);
    if (!jobs) return trawl::fail(std::move(jobs.error()));
    for (const Job& job : *jobs) {
      if (auto done = take_back(transaction, job); !done) return trawl::fail(done.error());
    }
    return jobs->size();
  });
}

}  // namespace trawl::jobs
