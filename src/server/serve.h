#pragma once

#include "server/config_load.h"

namespace trawl::server {

// `trawl serve`: runs until SIGTERM or SIGINT; returns the exit code. The first signal drains, the
// second one hurries.
[[nodiscard]] int serve(const LoadedConfig& loaded);

}  // namespace trawl::server
