#pragma once

#include <cstddef>
#include <filesystem>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "base/result.h"
#include "media/digest.h"
#include "media/part.h"
#include "transfer/budget.h"
#include "transfer/http_client.h"

namespace trawl::transfer {

// Moves a segmented part into `folder`: "<name>.trawl" and "<name>.journal" until it is complete and
// synced, then `name`. `index` is the part's number in the budget. Errors as Mover::move.
[[nodiscard]] Task<Result<std::optional<media::FileDigest>>> move_segments(
    HttpClient& client, BlockingPool& files, media::Part part, std::size_t index,
    std::filesystem::path folder, Budget& budget, const Stop& stop);

}  // namespace trawl::transfer
