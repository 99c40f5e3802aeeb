#include "jobs/job_store.h"

#include <random>

#include <fmt/format.h>

#include "base/failpoint.h"
#include "jobs/detail/breakers.h"
#include "jobs/detail/change.h"
#include "jobs/job_row.h"
#include "jobs/turn.h"

namespace trawl::jobs {
namespace {

using detail::Change;
using detail::fenced;
using detail::find_in;
using detail::hold_in;
using detail::text_of;

double random_unit() {
  thread_local std::mt19937_64 engine{std::random_device{}()};
  return std::uniform_real_distribution<double>(0, 1)(engine);
}

std::optional<std::int64_t> maybe_millis(std::optional<SystemTime> time) {
  return time ? std::optional(to_millis(*time)) : std::nullopt;
}

}  // namespace

Result<void> JobStore::change(db::Transaction& transaction, const Change& change) {
  failpoint("change.before");
  if (auto applied = detail::apply(transaction, change, transaction.now()); !applied) return applied;
  if (change.by == Step::release || change.by == Step::stopped || change.by == Step::pause ||
      change.by == Step::expire)
    detail::forget_probe(transaction, change.id);
  return announce(transaction, {change.id, change.epoch}, change.to, detail::phase_of(change.to),
                  change.error, change.new_round ? json::object{{"replayed", true}} : json::object{});
}

Result<void> JobStore::announce(db::Transaction& transaction, const Lease& lease, State state,
                                std::string_view phase, const std::optional<Error>& error,
                                json::object more) {
  json::object data{{"status", api_status(state)},
                    {"state", to_text(state)},
                    {"phase", phase},
                    {"epoch", lease.epoch},
                    {"final", final(state)}};
  data["message"] = error ? to_valid_utf8(error->message) : fmt::format("{}: {}", api_status(state), phase);
  if (error) data["error_code"] = error->reason;
  for (auto& [name, value] : more) data[name] = std::move(value);
  if (state == State::queued) transaction.on_commit([this] { bell_.ring(); });
  failpoint("event.before");
  auto written = log_.append(transaction, lease.job, events::Type::status, std::move(data));
  failpoint("event.after");
  return written;
}

Result<void> JobStore::check_depths(db::Transaction& transaction, const std::string& tenant) {
  constexpr std::string_view kWaiting =
      "SELECT COUNT(*) FROM jobs WHERE batch_id IS NULL"
      " AND state IN ('scheduled', 'queued', 'retry_wait', 'paused')";
  // Counting a long queue for every job would cost more than the job. Half of the room that was found
  // can be used without another look.
  if (const auto most = options_.depths.total; most > 0 && room_.fetch_sub(1) <= 0) {
    const auto rows = transaction.query(kWaiting);
    if (!rows) return trawl::fail(rows.error());
    const std::int64_t left = most - rows->front().integer(0);
    if (left <= 0)
      return trawl::fail(Errc::unavailable,
                         fmt::format("{} downloads are waiting already; try again later", most),
                         "queue_full");
    room_ = left / 2;
  }
  if (const auto most = options_.depths.per_tenant; most > 0) {
    const auto rows = transaction.query(fmt::format("{} AND tenant = $1", kWaiting), {tenant});
    if (!rows) return trawl::fail(rows.error());
    if (rows->front().integer(0) >= most)
      return trawl::fail(Errc::rate_limited,
                         fmt::format("{} downloads of yours are waiting already; try again later", most),
                         "too_many_queued");
  }
  return {};
}

Result<Job> JobStore::add(db::Transaction& transaction, const NewJob& job) {
  if (auto room = job.batch ? Result<void>() : check_depths(transaction, job.tenant); !room)
    return trawl::fail(room.error());
  failpoint("add.before");
  const SystemTime now = transaction.now();
  const JobId id = JobId::make(now);
  const bool later = job.scheduled_at && *job.scheduled_at > now;
  const State state = later ? State::scheduled : State::queued;
  const SystemTime ready = later ? *job.scheduled_at : now;
  transaction.later(
      {"INSERT INTO jobs (id, kind, tenant, origin, priority, turn, state, phase, request, not_before, "
       "scheduled_at, deadline, max_retries, created_at, updated_at, batch_id, fingerprint)"
       " VALUES ($1, $2, $3, $4, $5, $6, $7, 'waiting', $8, $9, $10, $11, $12, $13, $13, $14, $15)",
       {id.str(), job.kind, job.tenant, job.origin, std::int64_t{job.priority}, turn_of(ready, job.priority),
        std::string(to_text(state)), text_of(job.request), later ? to_millis(ready) : std::int64_t{0},
        db::null_or(maybe_millis(job.scheduled_at)), db::null_or(maybe_millis(job.deadline)),
        db::null_or(job.max_retries ? std::optional<std::int64_t>(*job.max_retries) : std::nullopt),
        to_millis(now), db::null_or(job.batch), job.fingerprint}});
  failpoint("add.after_row");
  if (auto told =
          announce(transaction, {id, 0}, state, "waiting", std::nullopt, {{"priority", job.priority}});
      !told)
    return trawl::fail(told.error());
  return find_in(transaction, id);
}

Task<Result<Job>> JobStore::add(NewJob job, With also) {
  co_return co_await database_.write(
      [this, job = std::move(job), also = std::move(also)](db::Transaction& transaction) -> Result<Job> {
        auto added = add(transaction, job);
        if (!added || !also) return added;
        failpoint("add.before_more");
        if (auto done = also(transaction, *added); !done) return trawl::fail(done.error());
        return added;
      });
}

Task<Result<void>> JobStore::advance(Lease lease, std::string phase, std::optional<json::object> checkpoint,
                                     std::optional<std::string> title) {
  co_return co_await database_.write(
      [this, lease, phase = std::move(phase), checkpoint = std::move(checkpoint),
       title = std::move(title)](db::Transaction& transaction) -> Result<void> {
        const auto changed = transaction.execute(
            "UPDATE jobs SET phase = $1, checkpoint = COALESCE($2, checkpoint), updated_at = $3,"
            " title = COALESCE($6, title) WHERE id = $4 AND epoch = $5 AND state = 'running'",
            {phase, db::null_or(checkpoint ? std::optional(text_of(*checkpoint)) : std::nullopt),
             to_millis(transaction.now()), lease.job.str(), lease.epoch, db::null_or(title)});
        if (!changed) return trawl::fail(changed.error());
        if (*changed == 0) return fenced(lease.job);
        failpoint("advance.after_row");
        return announce(transaction, lease, State::running, phase, std::nullopt);
      });
}

Task<Result<void>> JobStore::save_progress(Lease lease, json::object progress) {
  co_return co_await database_.write(
      [lease, progress = std::move(progress)](db::Transaction& transaction) -> Result<void> {
        const auto changed = transaction.execute(
            "UPDATE jobs SET progress = $1, updated_at = $2 WHERE id = $3 AND epoch = $4 AND state IN "
            "('running', 'cancelling')",
            {text_of(progress), to_millis(transaction.now()), lease.job.str(), lease.epoch});
        if (!changed) return trawl::fail(changed.error());
        if (*changed == 0) return fenced(lease.job);
        return {};
      });
}

Task<Result<void>> JobStore::complete(Lease lease, Also also) {
  co_return co_await database_.write(
      [this, lease, also = std::move(also)](db::Transaction& transaction) -> Result<void> {
        failpoint("complete.before_artifacts");
        auto result = also(transaction);
        failpoint("complete.after_artifacts");
        if (!result) return trawl::fail(std::move(result.error()));
        detail::note_answer(transaction, lease.job);
        return change(transaction, {.id = lease.job,
                                    .epoch = lease.epoch,
                                    .by = Step::complete,
                                    .to = State::completed,
                                    .result = std::move(*result)});
      });
}

Task<Result<State>> JobStore::fail(Lease lease, Error error,
                                   std::optional<std::chrono::seconds> retry_after) {
  co_return co_await database_.write(
      [this, lease, error = std::move(error), retry_after](db::Transaction& transaction) -> Result<State> {
        const auto job = hold_in(transaction, lease.job);
        if (!job) return trawl::fail(job.error());
        if (job->epoch != lease.epoch) return fenced(lease.job);
        Budgets budgets = options_.budgets;
        budgets.failures = job->max_retries.value_or(budgets.failures);
        failpoint("fail.before");
        const Verdict verdict =
            judge_failure(error, {job->failures, job->crashes}, budgets, random_unit(), retry_after);
        Change next{.id = lease.job,
                    .epoch = lease.epoch,
                    .by = verdict.state == State::failed ? Step::fail
                          : verdict.state == State::dead ? Step::bury
                                                         : Step::back_off,
                    .to = verdict.state,
                    .error = error,
                    .not_before = transaction.now() + verdict.delay,
                    .failures = verdict.counts.failures,
                    .crashes = verdict.counts.crashes};
        if (next.to == State::retry_wait && job->pause_asked) next.by = Step::pause, next.to = State::paused;
        if (auto done = change(transaction, next); !done) return trawl::fail(done.error());
        if (auto noted = detail::note_failure(transaction, *job, error, transaction.now(), options_.breaker);
            !noted)
          return trawl::fail(noted.error());
        return next.to;
      });
}

Task<Result<void>> JobStore::postpone(Lease lease, Error error, std::chrono::seconds delay) {
  co_return co_await database_.write(
      [this, lease, error = std::move(error), delay](db::Transaction& transaction) -> Result<void> {
        const auto job = hold_in(transaction, lease.job);
        if (!job) return trawl::fail(job.error());
        if (job->epoch != lease.epoch) return fenced(lease.job);
        return change(transaction, {.id = lease.job,
                                    .epoch = lease.epoch,
                                    .by = job->pause_asked ? Step::pause : Step::back_off,
                                    .to = job->pause_asked ? State::paused : State::retry_wait,
                                    .error = error,
                                    .not_before = transaction.now() + delay,
                                    .failures = job->failures,
                                    .crashes = job->crashes});
      });
}

Task<Result<void>> JobStore::release(Lease lease) {
  co_return co_await database_.write([this, lease](db::Transaction& transaction) -> Result<void> {
    const auto job = hold_in(transaction, lease.job);
    if (!job) return trawl::fail(job.error());
    return change(transaction, {.id = lease.job,
                                .epoch = lease.epoch,
                                .by = job->pause_asked ? Step::pause : Step::release,
                                .to = job->pause_asked ? State::paused : State::queued});
  });
}

Task<Result<void>> JobStore::settle_cancelled(Lease lease) {
  co_return co_await database_.write([this, lease](db::Transaction& transaction) {
    return change(transaction,
                  {.id = lease.job, .epoch = lease.epoch, .by = Step::stopped, .to = State::cancelled});
  });
}

Task<Result<void>> JobStore::settle_expired(Lease lease) {
  co_return co_await database_.write([this, lease](db::Transaction& transaction) {
    return change(transaction, {.id = lease.job,
                                .epoch = lease.epoch,
                                .by = Step::expire,
                                .to = State::expired,
                                .error = deadline_error()});
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
