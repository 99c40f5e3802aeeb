#pragma once

#include <map>
#include <string>

#include "base/result.h"
#include "downloads/presets.h"
#include "server/config.h"

namespace trawl::server {

// The presets for everybody: those of the file media.presets, and as `default` what download.format and its
// like say, as far as that file's `default` does not. Errc::unavailable, Errc::invalid. Blocks.
[[nodiscard]] Result<std::map<std::string, downloads::Preset, std::less<>>> configured_presets(
    const Config& config);

}  // namespace trawl::server
