#pragma once

#include "cli/options.h"
#include "server/config.h"

namespace trawl::server {

// `trawl version`: this program and the engine it would use. Returns the exit code.
[[nodiscard]] int print_version(const cli::VersionOptions& options, const Config& config);

}  // namespace trawl::server
