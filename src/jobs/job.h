#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "jobs/state.h"

namespace trawl::jobs {

// A row of the table `jobs` (db/migrations).
struct Job {
  JobId id;
  std::string kind;
  std::string tenant;
  std::string origin;                // The host it fetches from.
  std::optional<std::string> batch;  // The batch it belongs to.
  std::string fingerprint;           // Jobs with the same one do not run together; empty: none.
  std::string title;                 // For people; empty until an attempt has found it out.
  int priority = 5;
  std::int64_t turn = 0;  // jobs/turn.h
  State state = State::queued;
  std::string phase = "waiting";
  std::int64_t epoch = 0;
  int failures = 0;
  int crashes = 0;
  int losses = 0;  // Attempts whose worker vanished.
  int replays = 0;
  bool pause_asked = false;
  std::optional<int> max_retries;  // Empty: the budget of the store.
  SystemTime not_before;
  std::optional<SystemTime> scheduled_at, deadline;
  json::object request;
  json::object checkpoint;
  json::object progress;
  json::object result;
  std::optional<std::string> error_code;
  std::optional<std::string> error_message;
  SystemTime created_at;
  SystemTime updated_at;
  std::optional<SystemTime> started_at;
  std::optional<SystemTime> completed_at;
};

struct NewJob {
  std::string kind;
  std::string tenant;  // Whose it is: the id of the API key it was made with.
  std::string origin = {};
  int priority = 5;
  json::object request;
  std::optional<SystemTime> scheduled_at = {};  // Not to be run earlier.
  std::optional<SystemTime> deadline = {};      // Not wanted any more from then on.
  std::optional<int> max_retries = {};
  std::optional<std::string> batch =
      {};  // Bounds how many run at once, and is not held against the queue's depth.
  std::string fingerprint = {};
};

// An attempt that did not complete its job.
struct AttemptRecord {
  std::int64_t epoch = 0;
  std::string worker;
  SystemTime started_at, ended_at;
  State state = State::failed;  // What became of the job.
  std::string error_code, error_message;
};

// A dead job and how it came to that, oldest attempt first.
struct DeadLetter {
  Job job;
  std::vector<AttemptRecord> history;
};

// The right to work on a job, until it runs out or the job is handed to somebody else. `epoch` is
// the fence: every write of a holder names it and fails with Errc::conflict once it is not the
// job's newest.
struct Lease {
  JobId job;
  std::int64_t epoch = 0;
  friend auto operator<=>(const Lease&, const Lease&) = default;
};

}  // namespace trawl::jobs
