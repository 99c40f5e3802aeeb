#pragma once

#include <string>

#include "base/result.h"
#include "cli/options.h"
#include "media/options.h"

namespace trawl::server {

// What `trawl get` asks for, in the words of the API and checked by its rules.
// Errc::invalid names the flag.
[[nodiscard]] Result<media::DownloadRequest> get_request(const cli::GetOptions& options,
                                                         const std::string& url);

}  // namespace trawl::server
