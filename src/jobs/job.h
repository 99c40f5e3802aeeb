#pragma once

#include <cstdint>
#include <optional>
#include <string>

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
  int priority = 5;
  State state = State::queued;
  std::string phase = "waiting";
  std::int64_t epoch = 0;
  int failures = 0;
  int crashes = 0;
  SystemTime not_before;
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
  std::string tenant;
  int priority = 5;
  json::object request;
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
