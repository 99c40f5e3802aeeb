#pragma once

#include <vector>

#include "base/result.h"
#include "db/database.h"
#include "storage/blobs.h"
#include "storage/detail/content.h"

// What the rows say about leases and places.
namespace trawl::storage::detail {

// Whether that lease may still record files.
[[nodiscard]] Result<bool> lease_holds(db::Transaction& transaction, const LeaseName& lease);

// Those whose jobs have ended or are unknown.
[[nodiscard]] Result<std::vector<LeaseName>> leases_over(db::Transaction& transaction,
                                                         const std::vector<LeaseName>& leases);

// Which of `locations` are artifacts: by place, not by job, because what one job fetched may be another
// one's artifact as well.
[[nodiscard]] Result<std::vector<std::string>> referenced(db::Transaction& transaction,
                                                          const std::vector<std::string>& locations);

// What of `found`, listed before this read, nobody refers to. A lease that is over by now cannot
// record files any more, and one that has not begun had no folder when they were listed.
[[nodiscard]] Result<std::vector<LeaseContent>> unreferenced(db::Transaction& transaction,
                                                             const std::vector<LeaseContent>& found);

}  // namespace trawl::storage::detail
