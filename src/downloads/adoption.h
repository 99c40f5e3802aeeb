#pragma once

#include <optional>

#include "async/task.h"
#include "base/clock.h"
#include "db/database.h"
#include "downloads/batch.h"
#include "jobs/run.h"
#include "media/options.h"

namespace trawl::downloads {

// What completes the job with the files that an identical request has stored since this one was made;
// nothing when there was none.
[[nodiscard]] Task<Result<std::optional<jobs::JobStore::Also>>> adopt(db::Database& database, jobs::Run& run,
                                                                      const media::DownloadRequest& request,
                                                                      const std::optional<Membership>& member,
                                                                      SystemTime now,
                                                                      std::optional<SystemTime> expires_at);

}  // namespace trawl::downloads
