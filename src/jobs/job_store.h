#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/log.h"
#include "db/database.h"
#include "events/event_log.h"
#include "jobs/bell.h"
#include "jobs/breaker.h"
#include "jobs/fair_share.h"
#include "jobs/job.h"
#include "jobs/retry.h"

namespace trawl::jobs {

namespace detail {
struct Change;
}

// How many jobs may wait; 0: no limit.
struct Depths {
  std::int64_t total = 0;
  std::int64_t per_tenant = 0;
};

// Keeps jobs from the moment they are asked for until they are settled, with an event for every
// change of state in the same transaction.
//
// A job that was returned by add() is on disk. Each hand-out has a new epoch; all writes of a
// holder carry it and fail with Errc::conflict once the job was handed out again or settled.
class JobStore {
 public:
  struct Options {
    Budgets budgets = {};
    Caps caps = {};
    Depths depths = {};
    BreakerRules breaker = {};
  };

  JobStore(db::Database& database, events::EventLog& log, Options options, asio::any_io_executor executor)
      : database_(database), log_(log), options_(options), bell_(executor) {}

  // Errc::unavailable, reason "queue_full", when as many jobs wait as may (a few more when several
  // processes add); Errc::rate_limited, reason
  // "too_many_queued", when as many of the tenant do. `also` runs in the same transaction: what it
  // writes exists exactly when the job does.
  using With = std::function<Result<void>(db::Transaction&, const Job&)>;
  [[nodiscard]] Task<Result<Job>> add(NewJob job, With also = {});
  // The same inside a transaction of the caller's.
  [[nodiscard]] Result<Job> add(db::Transaction& transaction, const NewJob& job);

  [[nodiscard]] Task<Result<Job>> find(JobId id);  // Errc::not_found

  struct Filter {
    std::vector<State> states;          // Empty: all.
    std::optional<std::string> tenant;  // Empty: everybody's.
    std::optional<std::string> batch;   // Children of this one.
    std::optional<JobId> older_than;    // Only those made before it; `total` counts the others as well.
    std::int64_t offset = 0;
    std::int64_t limit = 20;
  };
  struct Page {
    std::vector<Job> jobs;  // Newest first, with empty checkpoints.
    std::int64_t total = 0;
  };
  [[nodiscard]] Task<Result<Page>> list(Filter filter);
  [[nodiscard]] Task<Result<std::map<State, std::int64_t>>> counts();

  // Hands the most urgent ready jobs to `owner`, at most `limit`, each for `length`: fair_share.h says
  // which.
  [[nodiscard]] Task<Result<std::vector<Job>>> claim(std::string owner, std::size_t limit, Millis length);
  // Extends leases; returns those that are still held, of which some may be asked to stop.
  struct Renewed {
    std::set<Lease> held;
    std::set<Lease> cancelling, pausing;
  };
  [[nodiscard]] Task<Result<Renewed>> renew(std::vector<Lease> leases, Millis length);

  // Writes of a holder.
  [[nodiscard]] Task<Result<void>> advance(Lease lease, std::string phase,
                                           std::optional<json::object> checkpoint,
                                           std::optional<std::string> title = {});
  [[nodiscard]] Task<Result<void>> save_progress(Lease lease, json::object progress);
  // `also` runs in the same transaction: what it writes becomes visible together with `completed`.
  using Also = std::function<Result<json::object>(db::Transaction&)>;
  [[nodiscard]] Task<Result<void>> complete(Lease lease, Also also);
  // Settles by judge_failure(); returns the state that came of it.
  [[nodiscard]] Task<Result<State>> fail(Lease lease, Error error,
                                         std::optional<std::chrono::seconds> retry_after = {});
  // Gives the job back to be tried again after `delay`: what it waits for has not come about, which `error`
  // describes and no budget counts. Paused when that was asked for.
  [[nodiscard]] Task<Result<void>> postpone(Lease lease, Error error, std::chrono::seconds delay);
  // Gives the job back unharmed, for a drain; paused when that was asked for.
  [[nodiscard]] Task<Result<void>> release(Lease lease);
  // Confirms that a job in `cancelling` has stopped.
  [[nodiscard]] Task<Result<void>> settle_cancelled(Lease lease);
  // Ends a running job whose deadline has passed.
  [[nodiscard]] Task<Result<void>> settle_expired(Lease lease);

  // What people ask for, in a transaction of its own or in one of the caller's. Each returns the state that
  // came of it.
  //
  // The end of a job: a waiting one is cancelled at once, a running one is told to stop. Errc::conflict,
  // reason "already_final", when it has ended.
  [[nodiscard]] Task<Result<State>> cancel(JobId id);
  [[nodiscard]] Result<State> cancel(db::Transaction& transaction, const JobId& id);
  // A waiting job is paused at once; a running one is told to stop, keeps what it has and stays
  // `running` until then. Errc::conflict: "already_final", or "being_cancelled".
  [[nodiscard]] Task<Result<State>> pause(JobId id);
  [[nodiscard]] Result<State> pause(db::Transaction& transaction, const JobId& id);
  // Lets a paused job go on where it was, and takes back a pause that has not come about. Errc::conflict,
  // reason "not_paused".
  [[nodiscard]] Task<Result<State>> resume(JobId id);
  [[nodiscard]] Result<State> resume(db::Transaction& transaction, const JobId& id);
  // Tries a delayed job now, and one that ended without success again, with its budgets as new.
  // Errc::conflict, reason "not_retryable".
  [[nodiscard]] Task<Result<State>> retry(JobId id);
  [[nodiscard]] Result<State> retry(db::Transaction& transaction, const JobId& id);
  // Deletes a job that has ended, with its events and rows.
  [[nodiscard]] Task<Result<void>> remove(JobId id);

  // Dead jobs, newest first.
  struct DeadLetters {
    std::vector<DeadLetter> letters;
    std::int64_t total = 0;
  };
  [[nodiscard]] Task<Result<DeadLetters>> dead_letters(std::int64_t offset, std::int64_t limit);

  // Makes jobs that wait after an error with this reason ready at once.
  [[nodiscard]] Task<Result<void>> hasten(std::string reason);

  // Requeues (or settles) running jobs whose lease has run out; all of them with `all_leases`, for
  // the start of the only process that opens the database. Returns how many.
  [[nodiscard]] Task<Result<std::size_t>> reap(bool all_leases);
  // Queues what is due and ends what waits past its deadline. Returns how many.
  [[nodiscard]] Task<Result<std::size_t>> tend();

  [[nodiscard]] Task<Result<void>> add_log(JobId id, LogLevel level, std::string message);

  // Rung when a job became ready, or a cap may have got room for one. A hint: whoever waits also looks
  // from time to time.
  [[nodiscard]] Bell& bell() { return bell_; }

 private:
  Result<void> change(db::Transaction& transaction, const detail::Change& change);
  Result<void> announce(db::Transaction& transaction, const Lease& lease, State state, std::string_view phase,
                        const std::optional<Error>& error, json::object more = {});
  Result<void> check_depths(db::Transaction& transaction, const std::string& tenant);
  Result<std::size_t> queue_due(db::Transaction& transaction);
  Result<std::size_t> queue_all(db::Transaction& transaction, const std::vector<db::Row>& due);
  Result<std::size_t> expire_waiting(db::Transaction& transaction);
  Result<std::vector<JobId>> choose(db::Transaction& transaction, Load& load, std::size_t limit);
  Result<void> take_back(db::Transaction& transaction, const Job& job);

  db::Database& database_;
  events::EventLog& log_;
  Options options_;
  std::atomic<std::int64_t> room_{0};  // Jobs that may be added before the queue is counted again.
  Bell bell_;
};

}  // namespace trawl::jobs
