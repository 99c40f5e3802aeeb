#pragma once

#include <string_view>

#include "base/result.h"
#include "db/database.h"
#include "jobs/job.h"

namespace trawl::jobs {

// The columns of `jobs` in the order read_job() expects.
inline constexpr std::string_view kJobColumns =
    "id, kind, tenant, priority, state, phase, epoch, failures, crashes, not_before, request, checkpoint, "
    "progress, result, error_code, error_message, created_at, updated_at, started_at, completed_at, origin, "
    "turn, losses, replays, pause_asked, max_retries, scheduled_at, deadline, batch_id, fingerprint, title";

// The same for lists, where checkpoints (whole Plans) would only be dead weight.
inline constexpr std::string_view kListColumns =
    "id, kind, tenant, priority, state, phase, epoch, failures, crashes, not_before, request, '{}', "
    "progress, result, error_code, error_message, created_at, updated_at, started_at, completed_at, origin, "
    "turn, losses, replays, pause_asked, max_retries, scheduled_at, deadline, batch_id, fingerprint, title";

[[nodiscard]] Result<Job> read_job(const db::Row& row);

[[nodiscard]] inline std::int64_t to_millis(SystemTime time) {
  return time.time_since_epoch().count();
}

}  // namespace trawl::jobs
