#pragma once

#include "base/json.h"
#include "media/plan.h"
#include "net/egress_proxy.h"
#include "net/upstream.h"

namespace trawl::downloads {

// The progress of two groups of parts as one. The total is known when it is for every group that
// has begun.
[[nodiscard]] media::Progress together(const media::Progress& a, const media::Progress& b);

// As clients see it: with `percent`, of one decimal.
[[nodiscard]] json::object progress_object(const media::Progress& progress);

// What went over the network for one attempt: through the proxy of its child, and without it.
[[nodiscard]] json::object traffic_of(const net::EgressProxy::Pass& pass, std::int64_t native_bytes,
                                      const net::Upstream* upstream);

}  // namespace trawl::downloads
