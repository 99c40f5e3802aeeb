#pragma once

#include "base/json.h"
#include "media/plan.h"

namespace trawl::downloads {

// The progress of two groups of parts as one. The total is known when it is for every group that
// has begun.
[[nodiscard]] media::Progress together(const media::Progress& a, const media::Progress& b);

// As clients see it: with `percent`, of one decimal.
[[nodiscard]] json::object progress_object(const media::Progress& progress);

}  // namespace trawl::downloads
