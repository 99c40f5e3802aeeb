#pragma once

#include "cli/options.h"
#include "server/config.h"

namespace trawl::server {

// trawl policy: prints a verdict for each URL and address. Returns the exit code.
int policy(const cli::PolicyOptions& options, const PolicyConfig& config);

}  // namespace trawl::server
