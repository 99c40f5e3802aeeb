#pragma once

#include "engine/engine.h"
#include "media/options.h"

namespace trawl::downloads {

// What the engine is asked to do for `request`; the fields about where and through what (work_dir,
// proxy, limits, cookies) are left to the caller.
[[nodiscard]] engine::Request engine_request(const media::DownloadRequest& request);

}  // namespace trawl::downloads
