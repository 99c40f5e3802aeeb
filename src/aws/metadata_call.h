#pragma once

#include <string>
#include <vector>

#include "base/result.h"

namespace trawl::aws {

// One short request to the service that hands a machine or container its keys. Blocks for two seconds at
// most; redirects are not followed, answers end at 64 KiB. Errc::not_found for a 404, unavailable for
// everything else that is no 200.
[[nodiscard]] Result<std::string> metadata_call(const std::string& method, const std::string& url,
                                                const std::vector<std::string>& headers);

}  // namespace trawl::aws
