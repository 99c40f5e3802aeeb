#pragma once

#include <string>

#include "async/task.h"
#include "base/result.h"
#include "net/egress.h"

namespace trawl::downloads {

// Refuses a URL that policy forbids, before anything is made of it: Errc::invalid ("invalid_url") or
// Errc::forbidden ("address_not_allowed", "domain_not_allowed", ...). A name that does not resolve now
// may do so later, so it passes; connections are judged again when they are made.
[[nodiscard]] Task<Result<void>> admit_url(const net::EgressPolicy& policy, std::string url);

}  // namespace trawl::downloads
