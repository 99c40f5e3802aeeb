#pragma once

#include "cli/options.h"
#include "server/config.h"

namespace trawl::server {

// trawl backup, trawl restore: the database of an embedded SQLite. Return the exit code.
int back_up(const cli::BackupOptions& options, const Config& config);
int restore(const cli::RestoreOptions& options, const Config& config);

}  // namespace trawl::server
