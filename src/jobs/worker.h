#pragma once

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <string>

#include "async/scope.h"
#include "events/bus.h"
#include "jobs/job_store.h"
#include "jobs/run.h"

namespace trawl::jobs {

// What a handler achieved: how to complete the job, or why it could not.
using Outcome = Result<JobStore::Also>;
// Works on one job. Ends soon after the run is stopped; what it returns then no longer matters.
using Handler = std::function<Task<Outcome>(Run&)>;

// Claims jobs, keeps their leases alive while the handler works, and settles them.
//
// At most `slots` jobs at once. A run whose lease was lost, or could not be renewed for two thirds
// of its length, is stopped and settles nothing: somebody else may have the job by then.
class Worker {
 public:
  struct Options {
    std::string name;  // Unique per process start.
    std::size_t slots = 10;
    Millis lease{30'000};
    std::function<bool()> may_claim = {};  // False: no job is begun for now. The bell says when to ask again.
    // How long a job that is begun now had been ready, by the database's clock.
    std::function<void(Millis)> on_claimed = {};
  };

  Worker(asio::any_io_executor executor, JobStore& store, events::Bus& bus, const Clock& clock,
         Options options, Handler handler);

  void start();
  // Stops claiming and lets runs finish for `grace`; those that do not are stopped and given back to
  // the queue unharmed. Returns when nothing runs any more. A second call with a shorter grace
  // hastens the first.
  [[nodiscard]] Task<void> drain(std::chrono::steady_clock::duration grace);

  [[nodiscard]] std::size_t running() const { return runs_.size(); }

 private:
  Task<void> claim_loop();
  Task<void> renew_loop();
  Task<void> fence_loop();
  // By the monotonic clock alone; nobody else can have the job as long as it is so.
  [[nodiscard]] bool surely_held(const Run& run) const;
  Task<void> reap_loop();
  Task<void> watch_orders();
  Task<void> work(std::shared_ptr<Run> run);
  Task<void> watch_deadline(std::shared_ptr<Run> run);
  Task<Result<void>> settle(Run& run, Outcome outcome);
  Task<void> finish(Run& run, Outcome outcome);
  void stop_run(const JobId& job, Stop reason);

  asio::any_io_executor executor_;
  JobStore& store_;
  events::Bus& bus_;
  const Clock& clock_;
  Options options_;
  Handler handler_;
  Scope claiming_, upkeep_, work_, background_;
  bool draining_ = false;
  Event slot_freed_;
  std::map<JobId, std::shared_ptr<Run>> runs_;
  std::chrono::steady_clock::time_point drain_until_ = std::chrono::steady_clock::time_point::max();
  Event drain_changed_;  // A run ended, or the grace was cut.
};

}  // namespace trawl::jobs
