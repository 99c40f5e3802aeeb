#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/result.h"
#include "net/egress.h"

namespace trawl::net {

// Refuses a URL that policy forbids, before anything is made of it: Errc::invalid ("invalid_url") or
// Errc::forbidden ("address_not_allowed", "domain_not_allowed", ...). A name that does not resolve now
// may do so later, so it passes; connections are judged again when they are made.
[[nodiscard]] Task<Result<void>> admit_url(const EgressPolicy& policy, std::string url);

// The host of a URL, by which UpstreamPool chooses; empty for what is none.
[[nodiscard]] std::string site_of(std::string_view url);

// What a child may move through the proxy for media of `max_bytes`, with room for retries, pages and
// manifests; 0: no limit.
[[nodiscard]] std::uint64_t proxy_allowance(std::int64_t max_bytes);

}  // namespace trawl::net
