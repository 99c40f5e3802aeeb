#pragma once

#include "cli/options.h"
#include "server/config_load.h"

namespace trawl::server {

// `trawl get`: the pipeline of the server in this process, over a database and storage that live in
// a hidden folder of the output folder and go away at the end. Returns the exit code.
[[nodiscard]] int get(const cli::GetOptions& options, const LoadedConfig& loaded);

}  // namespace trawl::server
