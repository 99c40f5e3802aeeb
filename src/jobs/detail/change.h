#pragma once

#include <optional>
#include <vector>

#include "base/json.h"
#include "db/database.h"
#include "jobs/job.h"

namespace trawl::jobs::detail {

// One guarded transition: what changes, and under which fence.
struct Change {
  JobId id;
  std::int64_t epoch = 0;
  Step by;
  State to;
  std::optional<Error> error = {};  // Recorded as the attempt's when a running job is left with it.
  std::optional<json::object> result = {};
  std::optional<SystemTime> not_before = {};
  std::optional<std::int64_t> turn = {};
  std::optional<int> failures = {}, crashes = {}, losses = {};
  bool new_round = false;  // A person asks for an ended job again.
};

// Applies it when the job is at that epoch and in a state from which the table leads there;
// Errc::conflict, reason "lease_lost", when it is not.
[[nodiscard]] Result<void> apply(db::Transaction& transaction, const Change& change, SystemTime now);

// "'queued', 'paused'": the states from which `by` leads to `to`, straight from the table.
[[nodiscard]] std::string sources_of(Step by, State to);

// The phase a job is in right after it came to `state`.
[[nodiscard]] std::string_view phase_of(State state);

[[nodiscard]] std::unexpected<Error> fenced(const JobId& id);
[[nodiscard]] std::string text_of(const json::object& document);

[[nodiscard]] Result<Job> find_in(db::Transaction& transaction, const JobId& id);  // Errc::not_found
// The same in a write that decides on what it finds: nobody changes the job before the commit.
[[nodiscard]] Result<Job> hold_in(db::Transaction& transaction, const JobId& id);
[[nodiscard]] Result<std::vector<Job>> read_jobs(const std::vector<db::Row>& rows);

}  // namespace trawl::jobs::detail
