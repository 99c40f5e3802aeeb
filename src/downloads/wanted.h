#pragma once

#include <string>

#include "async/task.h"
#include "db/database.h"
#include "downloads/batch.h"
#include "media/plan.h"

namespace trawl::downloads {

// An entry of a batch, by what the archive knows it by.
struct ArchiveKey {
  std::string tenant;
  std::string key;
  std::string options;
};

// What the listing of a batch did not say is known once an entry is resolved: fails with Errc::unsupported
// when it turns out not to be wanted ("filtered_out", "already_downloaded").
[[nodiscard]] Task<Result<void>> check_wanted(db::Database& database, const Membership& member,
                                              const media::Plan& plan, ArchiveKey archived_as);

}  // namespace trawl::downloads
