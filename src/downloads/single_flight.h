#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "db/database.h"
#include "jobs/job_store.h"
#include "media/options.h"
#include "storage/artifact.h"

namespace trawl::downloads {

// Identical requests that are in flight together are downloaded once. Jobs with the same fingerprint are
// not handed out at the same time (jobs/fair_share.h); who comes after one that completed while it waited
// takes over what that one stored: rows of its own, with names and times of its own, for the same bytes.

// What two requests have in common when one download serves both; empty when the request is to be kept to
// itself. Names, time limits and who is told do not matter. Cookies do, and then also whose they are.
[[nodiscard]] std::string fingerprint_of(const media::DownloadRequest& request, const json::object& target,
                                         const std::string& tenant);

// What a job that completed leaves to those that waited for it.
struct Precursor {
  JobId job;
  json::object result;
  std::vector<storage::Artifact> artifacts;
};

// The last job of that fingerprint that completed at `since` or later and whose artifacts are all there.
[[nodiscard]] Result<std::optional<Precursor>> find_precursor(db::Transaction& transaction,
                                                              const std::string& fingerprint,
                                                              const JobId& self, SystemTime since);

// The artifacts of `precursor` as those of `job`, under the names its own request gives them.
[[nodiscard]] Result<std::vector<storage::Artifact>> artifacts_after(const Precursor& precursor,
                                                                     const JobId& job,
                                                                     const media::DownloadOptions& options,
                                                                     const json::object& playlist,
                                                                     const std::string& batch, SystemTime now,
                                                                     std::optional<SystemTime> expires_at);

// Holds the precursor's rows to the end of the transaction. False when one of them has gone: then its file
// goes as well.
[[nodiscard]] Result<bool> hold_artifacts(db::Transaction& transaction, const Precursor& precursor);

}  // namespace trawl::downloads
