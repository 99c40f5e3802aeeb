#pragma once

#include <string>
#include <utility>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "db/database.h"

namespace trawl::downloads {

struct JobTotals {
  std::int64_t total = 0, completed = 0, failed = 0;
  std::int64_t last_day = 0, last_week = 0;  // By creation.
  std::int64_t bytes = 0;                    // That were stored, also those deleted since.
  double average_seconds = 0;                // From the start to the end of what completed.
  std::vector<std::pair<std::string, std::int64_t>> top_owners;  // The ten with most downloads.
};

[[nodiscard]] Task<Result<JobTotals>> job_totals(db::Database& database, SystemTime now);

}  // namespace trawl::downloads
