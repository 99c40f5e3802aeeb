#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "jobs/job_store.h"
#include "storage/storage.h"

namespace trawl::downloads {

// What a download has made.
struct Made {
  std::vector<storage::Artifact> artifacts;
  json::object result;
  std::vector<std::string> keys;  // By which the archive knows the medium,
  std::string options;            // made with these.
  std::string tenant;
  JobId job;
  SystemTime at;
};

// Records it in the transaction that completes the job: files, archive, and the owner's quota.
[[nodiscard]] jobs::JobStore::Also completion(Made made);

}  // namespace trawl::downloads
