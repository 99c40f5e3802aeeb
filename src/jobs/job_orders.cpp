// What people ask of a job, beside asking for it.

#include <fmt/format.h>

#include "jobs/detail/change.h"
#include "jobs/job_row.h"
#include "jobs/job_store.h"
#include "jobs/turn.h"

namespace trawl::jobs {
namespace {

using detail::Change;
using detail::fenced;
using detail::hold_in;

std::unexpected<Error> refused(const Job& job, std::string_view why, std::string_view reason) {
  return trawl::fail(Errc::conflict,
                     fmt::format("download {} is {}{}", job.id.str(), api_status(job.state), why), reason);
}

// A running job keeps its state until its holder has stopped; this tells it to, or not to any more.
Result<void> ask_to_pause(db::Transaction& transaction, const Job& job, bool asked, SystemTime now) {
  const auto changed = transaction.execute(
      "UPDATE jobs SET pause_asked = $1, updated_at = $2 WHERE id = $3 AND epoch = $4 AND state = 'running'",
      {std::int64_t{asked}, to_millis(now), job.id.str(), job.epoch});
  if (!changed) return trawl::fail(changed.error());
  if (*changed == 0) return fenced(job.id);
  return {};
}

}  // namespace

Task<Result<State>> JobStore::cancel(JobId id) {
  co_return co_await database_.write(
      [this, id](db::Transaction& transaction) { return cancel(transaction, id); });
}

Result<State> JobStore::cancel(db::Transaction& transaction, const JobId& id) {
  const auto job = hold_in(transaction, id);
  if (!job) return trawl::fail(job.error());
  if (final(job->state)) return refused(*job, " already", "already_final");
  if (job->state == State::cancelling) return State::cancelling;
  const State to = job->state == State::running ? State::cancelling : State::cancelled;
  if (auto done = change(transaction, {.id = id, .epoch = job->epoch, .by = Step::cancel, .to = to}); !done)
    return trawl::fail(done.error());
  return to;
}

Task<Result<State>> JobStore::pause(JobId id) {
  co_return co_await database_.write(
      [this, id](db::Transaction& transaction) { return pause(transaction, id); });
}

Result<State> JobStore::pause(db::Transaction& transaction, const JobId& id) {
  const auto job = hold_in(transaction, id);
  if (!job) return trawl::fail(job.error());
  if (final(job->state)) return refused(*job, " already", "already_final");
  if (job->state == State::cancelling) return refused(*job, " and being cancelled", "being_cancelled");
  if (job->state == State::paused) return State::paused;
  if (job->state != State::running) {
    const auto done =
        change(transaction, {.id = id, .epoch = job->epoch, .by = Step::pause, .to = State::paused});
    if (!done) return trawl::fail(done.error());
    return State::paused;
  }
  if (job->pause_asked) return State::running;
  if (auto asked = ask_to_pause(transaction, *job, true, transaction.now()); !asked)
    return trawl::fail(asked.error());
  if (auto told = announce(transaction, {id, job->epoch}, State::running, job->phase, std::nullopt,
                           {{"pausing", true}, {"message", "asked to pause"}});
      !told)
    return trawl::fail(told.error());
  return State::running;
}

Task<Result<State>> JobStore::resume(JobId id) {
  co_return co_await database_.write(
      [this, id](db::Transaction& transaction) { return resume(transaction, id); });
}

Result<State> JobStore::resume(db::Transaction& transaction, const JobId& id) {
  const auto job = hold_in(transaction, id);
  if (!job) return trawl::fail(job.error());
  const SystemTime now = transaction.now();
  if (job->state == State::running && job->pause_asked) {
    if (auto asked = ask_to_pause(transaction, *job, false, now); !asked) return trawl::fail(asked.error());
    if (auto told = announce(transaction, {id, job->epoch}, State::running, job->phase, std::nullopt); !told)
      return trawl::fail(told.error());
    return State::running;
  }
  if (job->state != State::paused) return refused(*job, ", not paused", "not_paused");
  const bool early = job->scheduled_at && *job->scheduled_at > now;
  const SystemTime ready = early ? *job->scheduled_at : now;
  const State to = early ? State::scheduled : State::queued;
  const auto done = change(transaction, {.id = id,
                                         .epoch = job->epoch,
                                         .by = Step::resume,
                                         .to = to,
                                         .not_before = ready,
                                         .turn = turn_of(ready, job->priority)});
  if (!done) return trawl::fail(done.error());
  return to;
}

Task<Result<State>> JobStore::retry(JobId id) {
  co_return co_await database_.write(
      [this, id](db::Transaction& transaction) { return retry(transaction, id); });
}

Result<State> JobStore::retry(db::Transaction& transaction, const JobId& id) {
  const auto job = hold_in(transaction, id);
  if (!job) return trawl::fail(job.error());
  if (!allowed(Step::retry, job->state, State::queued))
    return refused(*job, " and cannot be retried", "not_retryable");
  const SystemTime now = transaction.now();
  Change again{.id = id,
               .epoch = job->epoch,
               .by = Step::retry,
               .to = State::queued,
               .not_before = now,
               .turn = turn_of(now, job->priority)};
  if (final(job->state)) {
    again.new_round = true;
    again.failures = again.crashes = again.losses = 0;
  }
  if (auto done = change(transaction, again); !done) return trawl::fail(done.error());
  return State::queued;
}

Task<Result<void>> JobStore::hasten(std::string reason) {
  co_return co_await database_.write([this, reason](db::Transaction& transaction) -> Result<void> {
    const auto changed =
        transaction.execute("UPDATE jobs SET not_before = $1 WHERE state = 'retry_wait' AND error_code = $2",
                            {to_millis(transaction.now()), reason});
    if (!changed) return trawl::fail(changed.error());
    transaction.on_commit([this] { bell_.ring(); });
    return {};
  });
}

Task<Result<void>> JobStore::remove(JobId id) {
  co_return co_await database_.write([id](db::Transaction& transaction) -> Result<void> {
    const auto job = hold_in(transaction, id);
    if (!job) return trawl::fail(job.error());
    if (!final(job->state)) return refused(*job, " still; cancel it first", "not_final");
    const auto removed = transaction.execute("DELETE FROM jobs WHERE id = $1", {id.str()});
    if (!removed) return trawl::fail(removed.error());
    return {};
  });
}

}  // namespace trawl::jobs
