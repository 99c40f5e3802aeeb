#pragma once

#include "cli/options.h"
#include "server/config.h"

namespace trawl::server {

// Runs `trawl engine ...`: shows and changes which yt-dlp the servers of this storage folder use. Returns the
// exit code.
[[nodiscard]] int engine_command(const cli::EngineCommand& command, const Config& config);

}  // namespace trawl::server
