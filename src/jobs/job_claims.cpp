// The hand-out of jobs: who gets which, for how long, and what happens when a holder falls silent.

#include <algorithm>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "jobs/detail/breakers.h"
#include "jobs/detail/change.h"
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

// Hand-outs decide over all running jobs together, so the nodes take turns; SQLite's writers do anyway.
Result<void> take_turn(db::Transaction& transaction) {
  const auto taken = transaction.query("SELECT 1 /*pg , pg_advisory_xact_lock(500069722477)*/");
  if (!taken) return trawl::fail(taken.error());
  return {};
}

// What the workers have in hand.
Result<void> count_running(db::Transaction& transaction, Load& load) {
  const auto running = transaction.query(
      "SELECT tenant, origin, COUNT(*) FROM jobs WHERE state IN ('running', 'cancelling') GROUP BY tenant, "
      "origin");
  if (!running) return trawl::fail(running.error());
  for (const db::Row& row : *running) {
    const auto count = static_cast<int>(row.integer(2));
    load.by_tenant[row.text(0)] += count;
    load.by_origin[row.text(1)] += count;
  }
  return {};
}

Result<void> read_room(db::Transaction& transaction, Load& load, SystemTime now) {
  const auto breakers = detail::open_breakers(transaction);
  if (!breakers) return trawl::fail(breakers.error());
  for (const Breaker& breaker : *breakers) {
    if (const auto left = room(breaker, now)) load.room[breaker.origin] = *left;
  }
  return {};
}

// How many more of each open batch may start: none while it is paused, and none once a child has failed where
// one failure is to stop the others.
Result<void> read_batch_room(db::Transaction& transaction, Load& load) {
  const auto rows = transaction.query(
      "SELECT b.id, b.slots - (SELECT COUNT(*) FROM jobs r WHERE r.batch_id = b.id AND r.state IN "
      "('running', "
      "'cancelling')),"
      " CASE WHEN b.stop_on_error = 1 AND EXISTS (SELECT 1 FROM jobs f WHERE f.batch_id = b.id"
      " AND f.state IN ('failed', 'dead', 'expired') AND COALESCE(f.error_code, '') NOT IN"
      " ('filtered_out', 'already_downloaded')) THEN 1 ELSE 0 END FROM batches b WHERE b.settled = 0");
  if (!rows) return trawl::fail(rows.error());
  for (const db::Row& row : *rows)
    load.batch_room[row.text(0)] = row.boolean(2) ? 0 : std::max(0, static_cast<int>(row.integer(1)));
  return {};
}

// The first job of an origin whose breaker is half open is the one that tries it.
Result<void> name_probes(db::Transaction& transaction, const Load& load, const std::vector<Job>& jobs,
                         SystemTime now) {
  for (const Job& job : jobs) {
    if (!load.room.contains(job.origin)) continue;
    if (auto named = detail::set_probe(transaction, job.origin, job.id, now); !named) return named;
  }
  return {};
}

Result<void> read_turns(db::Transaction& transaction, Load& load) {
  const auto rows = transaction.query("SELECT tenant, served FROM tenant_turns");
  if (!rows) return trawl::fail(rows.error());
  for (const db::Row& row : *rows) load.served[row.text(0)] = row.integer(1);
  return {};
}

Result<void> write_turns(db::Transaction& transaction, const Load& load, SystemTime now) {
  for (const auto& [tenant, served] : load.served) {
    if (served < to_millis(now) * 1000) continue;
    const auto written = transaction.execute(
        "INSERT INTO tenant_turns (tenant, served) VALUES ($1, $2)"
        " ON CONFLICT (tenant) DO UPDATE SET served = excluded.served",
        {tenant, served});
    if (!written) return trawl::fail(written.error());
  }
  return {};
}

// Batches and origins that have no room, which the database need not even look at.
std::vector<std::string> full_batches(const Load& load) {
  std::vector<std::string> out;
  for (const auto& [batch, left] : load.batch_room) {
    if (left == 0) out.push_back(batch);
  }
  return out;
}

std::vector<std::string> full_origins(const Load& load, const Caps& caps) {
  std::vector<std::string> out;
  for (const auto& [origin, count] : load.by_origin) {
    if (caps.per_origin > 0 && count >= caps.per_origin && !origin.empty()) out.push_back(origin);
  }
  for (const auto& [origin, left] : load.room) {
    if (left == 0) out.push_back(origin);
  }
  return out;
}

// The first `limit` of every tenant's queue, without those of `origins` and `batches`. Tenants are found by
// skipping through the index, so a long queue of one costs nothing.
Result<std::vector<Candidate>> heads_of_queues(db::Transaction& transaction, std::size_t limit,
                                               const std::vector<std::string>& origins,
                                               const std::vector<std::string>& batches) {
  std::vector<db::Value> parameters{static_cast<std::int64_t>(limit)};
  const auto list = [&parameters](const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names) {
      parameters.emplace_back(name);
      out += fmt::format("{}${}", out.empty() ? "" : ", ", parameters.size());
    }
    return out;
  };
  std::string without;
  if (!origins.empty()) without += fmt::format(" AND q.origin NOT IN ({})", list(origins));
  without +=
      " AND NOT EXISTS (SELECT 1 FROM jobs f WHERE f.fingerprint = q.fingerprint AND f.fingerprint <> ''"
      " AND f.state IN ('running', 'cancelling'))";
  if (!batches.empty())
    without += fmt::format(" AND (q.batch_id IS NULL OR q.batch_id NOT IN ({}))", list(batches));
  const auto rows = transaction.query(
      fmt::format("WITH RECURSIVE tenants (tenant) AS ("
                  "SELECT (SELECT tenant FROM jobs WHERE state = 'queued' ORDER BY tenant LIMIT 1) UNION ALL "
                  "SELECT (SELECT j.tenant FROM jobs j WHERE j.state = 'queued' AND j.tenant > tenants.tenant"
                  " ORDER BY j.tenant LIMIT 1) FROM tenants WHERE tenants.tenant IS NOT NULL) "
                  "SELECT j.id, j.tenant, j.origin, j.priority, j.turn, j.batch_id, j.fingerprint"
                  " FROM tenants t JOIN jobs j ON j.id IN ("
                  "SELECT q.id FROM jobs q WHERE q.state = 'queued' AND q.tenant = t.tenant{}"
                  " ORDER BY q.turn, q.id LIMIT $1)",
                  without),
      parameters);
  if (!rows) return trawl::fail(rows.error());
  std::vector<Candidate> out;
  for (const db::Row& row : *rows) {
    const auto id = JobId::parse(row.text(0));
    if (!id) return trawl::fail(id.error());
    out.push_back({*id, row.text(1), row.text(2), static_cast<int>(row.integer(3)), row.integer(4),
                   row.maybe_text(5).value_or(""), row.text(6)});
  }
  return out;
}

std::string list_of(const std::vector<JobId>& ids) {
  std::string out;
  for (const JobId& id : ids) out += fmt::format("{}'{}'", out.empty() ? "" : ", ", id.str());
  return out;
}

}  // namespace

Result<std::vector<JobId>> JobStore::choose(db::Transaction& transaction, Load& load, std::size_t limit) {
  const SystemTime now = transaction.now();
  if (auto counted = count_running(transaction, load); !counted) return trawl::fail(counted.error());
  if (auto read = read_room(transaction, load, now); !read) return trawl::fail(read.error());
  if (auto read = read_batch_room(transaction, load); !read) return trawl::fail(read.error());
  auto candidates =
      heads_of_queues(transaction, limit, full_origins(load, options_.caps), full_batches(load));
  if (!candidates) return trawl::fail(candidates.error());
  if (candidates->empty()) return std::vector<JobId>();
  if (auto turns = read_turns(transaction, load); !turns) return trawl::fail(turns.error());
  auto chosen = share_out(std::move(*candidates), load, options_.caps, limit, now);
  if (auto written = write_turns(transaction, load, now); !written) return trawl::fail(written.error());
  return chosen;
}

Task<Result<std::vector<Job>>> JobStore::claim(std::string owner, std::size_t limit, Millis length) {
  co_return co_await database_.write([this, owner = std::move(owner), limit,
                                      length](db::Transaction& transaction) -> Result<std::vector<Job>> {
    if (auto turn = take_turn(transaction); !turn) return trawl::fail(turn.error());
    if (auto due = queue_due(transaction); !due) return trawl::fail(due.error());
    Load load;
    const auto chosen = choose(transaction, load, limit);
    if (!chosen) return trawl::fail(chosen.error());
    if (chosen->empty()) return std::vector<Job>();
    failpoint("claim.chosen");
    const SystemTime now = transaction.now();
    auto rows = transaction.query(
        fmt::format("UPDATE jobs SET state = 'running', phase = 'extracting', epoch = epoch + 1, owner = $1,"
                    " lease_until = $2, started_at = COALESCE(started_at, $3), claimed_at = $3,"
                    " updated_at = $3, error_code = NULL, error_message = NULL, pause_asked = 0"
                    " WHERE id IN (SELECT id FROM jobs WHERE id IN ({}) AND state IN ({}) ORDER BY id"
                    " /*pg FOR UPDATE SKIP LOCKED*/) RETURNING {}",
                    list_of(*chosen), detail::sources_of(Step::claim, State::running), kJobColumns),
        {owner, to_millis(now + length), to_millis(now)});
    if (!rows) return trawl::fail(std::move(rows.error()));
    failpoint("claim.after_rows");
    auto jobs = read_jobs(*rows);
    if (!jobs) return jobs;
    std::ranges::sort(*jobs, {}, [&](const Job& job) { return std::ranges::find(*chosen, job.id); });
    if (auto named = name_probes(transaction, load, *jobs, now); !named) return trawl::fail(named.error());
    for (const Job& job : *jobs) {
      if (auto told = announce(transaction, {job.id, job.epoch}, State::running, job.phase, std::nullopt);
          !told)
        return trawl::fail(told.error());
    }
    return jobs;
  });
}

Task<Result<JobStore::Renewed>> JobStore::renew(std::vector<Lease> leases, Millis length) {
  co_return co_await database_.write(
      [leases = std::move(leases), length](db::Transaction& transaction) -> Result<Renewed> {
        std::string pairs;
        for (const Lease& lease : leases)
          pairs += fmt::format("{}('{}', {})", pairs.empty() ? "" : ", ", lease.job.str(), lease.epoch);
        auto rows = transaction.query(
            fmt::format("UPDATE jobs SET lease_until = $1 WHERE state IN ('running', 'cancelling')"
                        " AND (id, epoch) IN (VALUES {}) RETURNING id, epoch, state, pause_asked",
                        pairs),
            {to_millis(transaction.now() + length)});
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
  const auto rows = transaction.query(
      fmt::format("SELECT id, epoch, state, priority, not_before FROM jobs WHERE state IN ({})"
                  " AND not_before <= $1 ORDER BY not_before LIMIT $2 /*pg FOR UPDATE SKIP LOCKED*/",
                  detail::sources_of(Step::due, State::queued)),
      {to_millis(transaction.now()), kAtOnce});
  if (!rows) return trawl::fail(rows.error());
  for (const db::Row& row : *rows) {
    const auto id = JobId::parse(row.text(0));
    if (!id) return trawl::fail(id.error());
    Change due{.id = *id, .epoch = row.integer(1), .by = Step::due, .to = State::queued};
    // A retry keeps its place; it has waited its turn once.
    if (row.text(2) == to_text(State::scheduled))
      due.turn = turn_of(SystemTime(Millis(row.integer(4))), static_cast<int>(row.integer(3)));
    if (auto done = change(transaction, due); !done) return trawl::fail(done.error());
  }
  return rows->size();
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
