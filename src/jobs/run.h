#pragma once

#include <functional>
#include <list>
#include <memory>
#include <optional>
#include <string>

#include "async/scope.h"
#include "events/bus.h"
#include "jobs/job.h"
#include "jobs/job_store.h"

namespace trawl::jobs {

// Why a run has to end before its work is done.
enum class Stop { none, cancelled, paused, expired, lost, draining };

// One attempt at a job, as its handler sees it. Used on the worker's executor.
class Run {
 public:
  Run(Job job, JobStore& store, events::Bus& bus, Scope& background);
  Run(const Run&) = delete;
  Run& operator=(const Run&) = delete;

  [[nodiscard]] const Job& job() const { return job_; }
  [[nodiscard]] Lease lease() const { return {job_.id, job_.epoch}; }

  // Enters a phase and, with a checkpoint, makes what was achieved durable for the next attempt; with a
  // title, names the job.
  [[nodiscard]] Task<Result<void>> advance(std::string phase, std::optional<json::object> checkpoint = {},
                                           std::optional<std::string> title = {});

  // Tells watchers at once (at most 4 times a second) and the database once a second. What was held
  // back is told when the phase changes, so the last word is never lost.
  void progress(json::object progress);
  // A line in the job's log. At most kMaxLines per run; the last one says that more were dropped.
  void log(LogLevel level, std::string message);

  // `action` is called when the run has to stop: at once if it has to already, at the latest until
  // the hook is dropped.
  using Hook = std::shared_ptr<std::function<void()>>;
  [[nodiscard]] Hook on_stop(std::function<void()> action);

  // The origin wants to be left alone for so long before the next attempt.
  void told_to_wait(std::chrono::seconds time) { retry_after_ = time; }
  [[nodiscard]] std::optional<std::chrono::seconds> retry_after() const { return retry_after_; }

  // What the run waits for has not come about: its failure is none, and the next attempt is made after
  // `time`.
  void postpone(std::chrono::seconds time) { postponed_ = time; }
  [[nodiscard]] std::optional<std::chrono::seconds> postponed() const { return postponed_; }

  // When its lease was given or extended last, by the monotonic clock; never later than the database did.
  void held_since(std::chrono::steady_clock::time_point time) { held_since_ = time; }
  [[nodiscard]] std::chrono::steady_clock::time_point held_since() const { return held_since_; }

  [[nodiscard]] Stop stopped() const { return stop_; }
  // The first reason counts.
  void stop(Stop reason);

 private:
  static constexpr int kMaxLines = 1000;

  void tell(json::object progress);

  Job job_;
  JobStore& store_;
  events::Bus& bus_;
  Scope& background_;
  Stop stop_ = Stop::none;
  std::optional<std::chrono::seconds> retry_after_, postponed_;
  std::list<std::weak_ptr<std::function<void()>>> hooks_;
  std::chrono::steady_clock::time_point held_since_ = std::chrono::steady_clock::now();
  std::chrono::steady_clock::time_point told_{};
  std::chrono::steady_clock::time_point saved_{};
  std::optional<json::object> held_back_;
  int lines_ = 0;
};

}  // namespace trawl::jobs
