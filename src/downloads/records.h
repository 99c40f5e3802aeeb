#pragma once

#include "async/task.h"
#include "base/clock.h"
#include "base/result.h"
#include "db/database.h"

namespace trawl::downloads {

// Forgets downloads that ended before `limit` and of which no file is left, with their logs and attempts.
// Those of a batch stay as long as the batch does, so that what it says of them stays true; it goes,
// with all of them, when each could go. Some at a time; how many downloads went. What was downloaded once
// (downloads/archive.h) and what was used (access/usage.h) stays known.
[[nodiscard]] Task<Result<std::int64_t>> forget_records(db::Database& database, SystemTime limit);

}  // namespace trawl::downloads
