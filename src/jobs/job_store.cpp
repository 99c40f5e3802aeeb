#include "jobs/job_store.h"

#include <random>

#include <fmt/format.h>

#include "jobs/job_row.h"

namespace trawl::jobs {
namespace {

std::string text_of(const json::object& document) {
  return json::serialize(document);
}

// "'queued', 'retry_wait'": the states from which `to` may be reached, straight from the table.
std::string sources_of(State to) {
  std::string list;
  for (const auto& [from, target] : kTransitions) {
    if (target == to) list += fmt::format("{}'{}'", list.empty() ? "" : ", ", to_text(from));
  }
  return list;
}

double random_unit() {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

std::unexpected<Error> fenced(const JobId& id) {
  return trawl::fail(Errc::conflict, fmt::format("job {} was handed to somebody else or has ended", id.str()),
                     "lease_lost");
}

std::string_view phase_of(State state) {
  switch (state) {
    case State::running:
      return "extracting";
    case State::cancelling:
      return "cancelling";
    case State::queued:
    case State::retry_wait:
      return "waiting";
    default:
      return "finished";
  }
}

Result<Job> find_in(db::Transaction& transaction, const JobId& id) {
  auto rows = transaction.query(fmt::format("SELECT {} FROM jobs WHERE id = $1", kJobColumns), {id.str()});
  if (!rows) return trawl::fail(std::move(rows.error()));
  if (rows->empty()) return trawl::fail(Errc::not_found, fmt::format("there is no download {}", id.str()));
  return read_job(rows->front());
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

}  // namespace

// One guarded transition: what changes, and under which fence.
struct JobStore::Change {
  JobId id;
  std::optional<std::int64_t> epoch;  // Empty only where nobody can hold the job.
  State to = State::queued;
  std::optional<Error> error = {};
  std::optional<json::object> result = {};
  std::optional<SystemTime> not_before = {};
  std::optional<int> failures = {}, crashes = {};
};

Result<void> JobStore::change(db::Transaction& transaction, const Change& change) {
  const std::int64_t now = to_millis(clock_.now());
  const bool ends = final(change.to);
  const bool held = change.to == State::cancelling;  // The holder keeps its lease until it has stopped.
  const std::string sql = fmt::format(
      "UPDATE jobs SET state = $1, phase = $2, updated_at = $3, error_code = $4, error_message = $5,"
      " result = COALESCE($6, result), not_before = COALESCE($7, not_before), failures = COALESCE($8, "
      "failures),"
      " crashes = COALESCE($9, crashes), completed_at = $10{}"
      " WHERE id = $11 AND ($12 IS NULL OR epoch = $12) AND state IN ({})",
      held                            ? ""
      : change.to == State::completed ? ", owner = NULL, lease_until = NULL, checkpoint = '{}'"
                                      : ", owner = NULL, lease_until = NULL",
      sources_of(change.to));
  const auto count = [](std::optional<int> n) {
    return db::null_or(n ? std::optional<std::int64_t>(*n) : std::nullopt);
  };
  const auto changed = transaction.execute(
      sql,
      {std::string(to_text(change.to)), std::string(phase_of(change.to)), now,
       db::null_or(change.error ? std::optional(change.error->reason) : std::nullopt),
       db::null_or(change.error ? std::optional(to_valid_utf8(change.error->message)) : std::nullopt),
       db::null_or(change.result ? std::optional(text_of(*change.result)) : std::nullopt),
       db::null_or(change.not_before ? std::optional(to_millis(*change.not_before)) : std::nullopt),
       count(change.failures), count(change.crashes), db::null_or(ends ? std::optional(now) : std::nullopt),
       change.id.str(), db::null_or(change.epoch)});
  if (!changed) return trawl::fail(changed.error());
  if (*changed == 0) return fenced(change.id);
  return announce(transaction, change.id, change.to, phase_of(change.to), change.error);
}

Result<void> JobStore::announce(db::Transaction& transaction, const JobId& id, State state,
                                std::string_view phase, const std::optional<Error>& error) {
  json::object data{
      {"status", api_status(state)}, {"state", to_text(state)}, {"phase", phase}, {"final", final(state)}};
  data["message"] = error ? to_valid_utf8(error->message) : fmt::format("{}: {}", api_status(state), phase);
  if (error) data["error_code"] = error->reason;
  if (state == State::queued || state == State::retry_wait)
    transaction.on_commit([this] { bell_.notify_all(); });
  return log_.append(transaction, id, events::Type::status, std::move(data));
}

Task<Result<Job>> JobStore::add(NewJob job, std::int64_t max_queued) {
  co_return co_await database_.write([this, job = std::move(job),
                                      max_queued](db::Transaction& transaction) -> Result<Job> {
    auto waiting = transaction.query("SELECT COUNT(*) FROM jobs WHERE state IN ('queued', 'retry_wait')");
    if (!waiting) return trawl::fail(std::move(waiting.error()));
    if (waiting->front().integer(0) >= max_queued) {
      return trawl::fail(Errc::unavailable,
                         fmt::format("{} downloads are waiting already; try again later", max_queued),
                         "queue_full");
    }
    const SystemTime now = clock_.now();
    const JobId id = JobId::make(now);
    const auto inserted = transaction.execute(
        "INSERT INTO jobs (id, kind, tenant, priority, state, phase, request, created_at, updated_at)"
        " VALUES ($1, $2, $3, $4, 'queued', 'waiting', $5, $6, $6)",
        {id.str(), job.kind, job.tenant, std::int64_t{job.priority}, text_of(job.request), to_millis(now)});
    if (!inserted) return trawl::fail(inserted.error());
    if (auto told = announce(transaction, id, State::queued, "waiting", std::nullopt); !told)
      return trawl::fail(told.error());
    return find_in(transaction, id);
  });
}

Task<Result<Job>> JobStore::find(JobId id) {
  co_return co_await database_.read([id](db::Transaction& transaction) { return find_in(transaction, id); });
}

Task<Result<JobStore::Page>> JobStore::list(Filter filter) {
  co_return co_await database_.read(
      [filter = std::move(filter)](db::Transaction& transaction) -> Result<Page> {
        std::string where;
        for (const State state : filter.states)
          where += fmt::format("{}'{}'", where.empty() ? "" : ", ", to_text(state));
        if (!where.empty()) where = fmt::format("WHERE state IN ({})", where);
        auto total = transaction.query(fmt::format("SELECT COUNT(*) FROM jobs {}", where));
        if (!total) return trawl::fail(std::move(total.error()));
        auto rows = transaction.query(
            fmt::format("SELECT {} FROM jobs {} ORDER BY id DESC LIMIT $1 OFFSET $2", kListColumns, where),
            {filter.limit, filter.offset});
        if (!rows) return trawl::fail(std::move(rows.error()));
        auto jobs = read_jobs(*rows);
        if (!jobs) return trawl::fail(std::move(jobs.error()));
        return Page{std::move(*jobs), total->front().integer(0)};
      });
}

Task<Result<std::map<State, std::int64_t>>> JobStore::counts() {
  using Counts = std::map<State, std::int64_t>;
  co_return co_await database_.read([](db::Transaction& transaction) -> Result<Counts> {
    auto rows = transaction.query("SELECT state, COUNT(*) FROM jobs GROUP BY state");
    if (!rows) return trawl::fail(std::move(rows.error()));
    Counts counts;
    for (const db::Row& row : *rows) {
      if (const auto state = parse_enum<State>(row.text(0))) counts[*state] = row.integer(1);
    }
    return counts;
  });
}

Task<Result<std::vector<Job>>> JobStore::claim(std::string owner, std::size_t limit, Millis length) {
  co_return co_await database_.write([this, owner = std::move(owner), limit,
                                      length](db::Transaction& transaction) -> Result<std::vector<Job>> {
    const SystemTime now = clock_.now();
    auto rows = transaction.query(
        fmt::format(
            "UPDATE jobs SET state = 'running', phase = 'extracting', epoch = epoch + 1, owner = $1, "
            "lease_until = $2,"
            " started_at = COALESCE(started_at, $3), updated_at = $3, error_code = NULL, error_message = NULL"
            " WHERE state IN ({0}) AND id IN (SELECT id FROM jobs WHERE state IN ({0}) AND not_before <= $3"
            " ORDER BY priority DESC, id LIMIT $4) RETURNING {1}",
            sources_of(State::running), kJobColumns),
        {owner, to_millis(now + length), to_millis(now), static_cast<std::int64_t>(limit)});
    if (!rows) return trawl::fail(std::move(rows.error()));
    auto jobs = read_jobs(*rows);
    if (!jobs) return jobs;
    for (const Job& job : *jobs) {
      if (auto told = announce(transaction, job.id, State::running, job.phase, std::nullopt); !told)
        return trawl::fail(told.error());
    }
    return jobs;
  });
}

Task<Result<JobStore::Renewed>> JobStore::renew(std::vector<Lease> leases, Millis length) {
  co_return co_await database_.write(
      [this, leases = std::move(leases), length](db::Transaction& transaction) -> Result<Renewed> {
        std::string pairs;
        for (const Lease& lease : leases)
          pairs += fmt::format("{}('{}', {})", pairs.empty() ? "" : ", ", lease.job.str(), lease.epoch);
        auto rows = transaction.query(
            fmt::format("UPDATE jobs SET lease_until = $1 WHERE state IN ('running', 'cancelling')"
                        " AND (id, epoch) IN (VALUES {}) RETURNING id, epoch, state",
                        pairs),
            {to_millis(clock_.now() + length)});
        if (!rows) return trawl::fail(std::move(rows.error()));
        Renewed renewed;
        for (const db::Row& row : *rows) {
          const auto id = JobId::parse(row.text(0));
          if (!id) return trawl::fail(id.error());
          renewed.held.insert({*id, row.integer(1)});
          if (row.text(2) == to_text(State::cancelling)) renewed.cancelling.insert({*id, row.integer(1)});
        }
        return renewed;
      });
}

Task<Result<void>> JobStore::advance(Lease lease, std::string phase, std::optional<json::object> checkpoint) {
  co_return co_await database_.write(
      [this, lease, phase = std::move(phase),
       checkpoint = std::move(checkpoint)](db::Transaction& transaction) -> Result<void> {
        const auto changed = transaction.execute(
            "UPDATE jobs SET phase = $1, checkpoint = COALESCE($2, checkpoint), updated_at = $3"
            " WHERE id = $4 AND epoch = $5 AND state = 'running'",
            {phase, db::null_or(checkpoint ? std::optional(text_of(*checkpoint)) : std::nullopt),
             to_millis(clock_.now()), lease.job.str(), lease.epoch});
        if (!changed) return trawl::fail(changed.error());
        if (*changed == 0) return fenced(lease.job);
        return announce(transaction, lease.job, State::running, phase, std::nullopt);
      });
}

Task<Result<void>> JobStore::save_progress(Lease lease, json::object progress) {
  co_return co_await database_.write(
      [this, lease, progress = std::move(progress)](db::Transaction& transaction) -> Result<void> {
        const auto changed = transaction.execute(
            "UPDATE jobs SET progress = $1, updated_at = $2 WHERE id = $3 AND epoch = $4 AND state IN "
            "('running', 'cancelling')",
            {text_of(progress), to_millis(clock_.now()), lease.job.str(), lease.epoch});
        if (!changed) return trawl::fail(changed.error());
        if (*changed == 0) return fenced(lease.job);
        return {};
      });
}

Task<Result<void>> JobStore::complete(Lease lease, Also also) {
  co_return co_await database_.write(
      [this, lease, also = std::move(also)](db::Transaction& transaction) -> Result<void> {
        auto result = also(transaction);
        if (!result) return trawl::fail(std::move(result.error()));
        return change(
            transaction,
            {.id = lease.job, .epoch = lease.epoch, .to = State::completed, .result = std::move(*result)});
      });
}

Task<Result<State>> JobStore::fail(Lease lease, Error error) {
  co_return co_await database_.write(
      [this, lease, error = std::move(error)](db::Transaction& transaction) -> Result<State> {
        const auto job = find_in(transaction, lease.job);
        if (!job) return trawl::fail(job.error());
        if (job->epoch != lease.epoch) return fenced(lease.job);
        const Verdict verdict = judge_failure(error, job->failures, job->crashes, budgets_, random_unit());
        const auto done = change(transaction, {.id = lease.job,
                                               .epoch = lease.epoch,
                                               .to = verdict.state,
                                               .error = error,
                                               .not_before = clock_.now() + verdict.delay,
                                               .failures = verdict.failures,
                                               .crashes = verdict.crashes});
        if (!done) return trawl::fail(done.error());
        return verdict.state;
      });
}

Task<Result<void>> JobStore::release(Lease lease) {
  co_return co_await database_.write([this, lease](db::Transaction& transaction) {
    return change(transaction, {.id = lease.job, .epoch = lease.epoch, .to = State::queued});
  });
}

Task<Result<void>> JobStore::settle_cancelled(Lease lease) {
  co_return co_await database_.write([this, lease](db::Transaction& transaction) {
    return change(transaction, {.id = lease.job, .epoch = lease.epoch, .to = State::cancelled});
  });
}

Task<Result<State>> JobStore::cancel(JobId id) {
  co_return co_await database_.write([this, id](db::Transaction& transaction) -> Result<State> {
    const auto job = find_in(transaction, id);
    if (!job) return trawl::fail(job.error());
    if (final(job->state)) {
      return trawl::fail(Errc::conflict,
                         fmt::format("download {} is {} already", id.str(), api_status(job->state)),
                         "already_final");
    }
    if (job->state == State::cancelling) return State::cancelling;
    const State to = job->state == State::running ? State::cancelling : State::cancelled;
    if (auto done = change(transaction, {.id = id, .epoch = job->epoch, .to = to}); !done)
      return trawl::fail(done.error());
    return to;
  });
}

Task<Result<void>> JobStore::remove(JobId id) {
  co_return co_await database_.write([id](db::Transaction& transaction) -> Result<void> {
    const auto job = find_in(transaction, id);
    if (!job) return trawl::fail(job.error());
    if (!final(job->state)) {
      return trawl::fail(Errc::conflict, fmt::format("download {} is still {}; cancel it first", id.str(),
                                                     api_status(job->state)));
    }
    const auto removed = transaction.execute("DELETE FROM jobs WHERE id = $1", {id.str()});
    if (!removed) return trawl::fail(removed.error());
    return {};
  });
}

Task<Result<std::size_t>> JobStore::reap(bool all_leases) {
  co_return co_await database_.write([this, all_leases](db::Transaction& transaction) -> Result<std::size_t> {
    auto rows = transaction.query(
        fmt::format(
            "SELECT {} FROM jobs WHERE state IN ('running', 'cancelling') AND ($1 = 1 OR lease_until < $2)",
            kListColumns),
        {std::int64_t{all_leases}, to_millis(clock_.now())});
    if (!rows) return trawl::fail(std::move(rows.error()));
    auto jobs = read_jobs(*rows);
    if (!jobs) return trawl::fail(std::move(jobs.error()));
    for (const Job& job : *jobs) {
      Change next{.id = job.id, .epoch = job.epoch, .to = State::cancelled};
      if (job.state == State::running) {
        const bool poison = job.crashes + 1 >= budgets_.lost_workers;
        next.to = poison ? State::dead : State::queued;
        next.crashes = job.crashes + 1;
        if (poison)
          next.error = Error{Errc::internal, "the worker vanished while it ran this download, too many times",
                             "worker_lost"};
      }
      if (auto done = change(transaction, next); !done) return trawl::fail(done.error());
    }
    return jobs->size();
  });
}

Task<Result<void>> JobStore::add_log(JobId id, LogLevel level, std::string message) {
  co_return co_await database_.write(
      [this, id, level, message = std::move(message)](db::Transaction& transaction) {
        return log_.append(transaction, id, events::Type::log,
                           {{"level", to_text(level)}, {"message", to_valid_utf8(message)}});
      });
}

}  // namespace trawl::jobs
