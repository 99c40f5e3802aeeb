#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "async/event.h"
#include "base/log.h"
#include "db/database.h"
#include "events/event_log.h"
#include "jobs/job.h"
#include "jobs/retry.h"

namespace trawl::jobs {

// Keeps jobs from the moment they are asked for until they are settled, with an event for every
// change of state in the same transaction.
//
// A job that was returned by add() is on disk. Each hand-out has a new epoch; all writes of a
// holder carry it and fail with Errc::conflict once the job was handed out again or settled.
class JobStore {
 public:
  JobStore(db::Database& database, events::EventLog& log, const Clock& clock, Budgets budgets,
           asio::any_io_executor executor)
      : database_(database), log_(log), clock_(clock), budgets_(budgets), bell_(executor) {}

  // Errc::unavailable, reason "queue_full", when `max_queued` jobs are waiting already.
  [[nodiscard]] Task<Result<Job>> add(NewJob job, std::int64_t max_queued);
  [[nodiscard]] Task<Result<Job>> find(JobId id);  // Errc::not_found

  struct Filter {
    std::vector<State> states;  // Empty: all.
    std::int64_t offset = 0;
    std::int64_t limit = 20;
  };
  struct Page {
    std::vector<Job> jobs;  // Newest first, with empty checkpoints.
    std::int64_t total = 0;
  };
  [[nodiscard]] Task<Result<Page>> list(Filter filter);
  [[nodiscard]] Task<Result<std::map<State, std::int64_t>>> counts();

  // Hands the most urgent ready jobs to `owner`, at most `limit`, each for `length`.
  [[nodiscard]] Task<Result<std::vector<Job>>> claim(std::string owner, std::size_t limit, Millis length);
  // Extends leases; returns those that are still held, of which some may be asked to stop.
  struct Renewed {
    std::set<Lease> held;
    std::set<Lease> cancelling;
  };
  [[nodiscard]] Task<Result<Renewed>> renew(std::vector<Lease> leases, Millis length);

  // Writes of a holder.
  [[nodiscard]] Task<Result<void>> advance(Lease lease, std::string phase,
                                           std::optional<json::object> checkpoint);
  [[nodiscard]] Task<Result<void>> save_progress(Lease lease, json::object progress);
  // `also` runs in the same transaction: what it writes becomes visible together with `completed`.
  using Also = std::function<Result<json::object>(db::Transaction&)>;
  [[nodiscard]] Task<Result<void>> complete(Lease lease, Also also);
  // Settles by judge_failure(); returns the state that came of it.
  [[nodiscard]] Task<Result<State>> fail(Lease lease, Error error);
  // Gives the job back unharmed, for a drain.
  [[nodiscard]] Task<Result<void>> release(Lease lease);
  // Confirms that a job in `cancelling` has stopped.
  [[nodiscard]] Task<Result<void>> settle_cancelled(Lease lease);

  // Asks for the end of a job: a waiting one is cancelled at once, a running one is told to stop.
  // Returns the state that came of it; Errc::conflict, reason "already_final", when it has ended.
  [[nodiscard]] Task<Result<State>> cancel(JobId id);
  // Deletes a job that has ended, with its events and rows.
  [[nodiscard]] Task<Result<void>> remove(JobId id);

  // Requeues (or settles) running jobs whose lease has run out; all of them with `all_leases`, for
  // the start of the only process that opens the database. Returns how many.
  [[nodiscard]] Task<Result<std::size_t>> reap(bool all_leases);

  [[nodiscard]] Task<Result<void>> add_log(JobId id, LogLevel level, std::string message);

  // Rung when a job became ready. A hint: whoever waits also looks from time to time.
  [[nodiscard]] Event& bell() { return bell_; }

 private:
  struct Change;
  Result<void> change(db::Transaction& transaction, const Change& change);
  Result<void> announce(db::Transaction& transaction, const JobId& id, State state, std::string_view phase,
                        const std::optional<Error>& error);

  db::Database& database_;
  events::EventLog& log_;
  const Clock& clock_;
  Budgets budgets_;
  Event bell_;
};

}  // namespace trawl::jobs
