#pragma once

#include <string>
#include <vector>

#include "base/clock.h"
#include "base/id.h"
#include "db/database.h"
#include "media/options.h"

namespace trawl::downloads {

// What was downloaded once, by whom and made into what: durable, and independent of whether the files
// are still there.

// A digest of the options that change what a download produces; where it is stored, how long it may take
// and whom it tells do not.
[[nodiscard]] std::string options_digest(const media::DownloadOptions& options);

// Remembers a download under its keys (entry_key()), in the transaction that completes it.
[[nodiscard]] Result<void> record_in_archive(db::Transaction& transaction, const std::string& tenant,
                                             const std::vector<std::string>& keys, const std::string& options,
                                             const JobId& job, SystemTime now);

[[nodiscard]] Result<bool> is_archived(db::Transaction& transaction, const std::string& tenant,
                                       const std::string& key, const std::string& options);

}  // namespace trawl::downloads
