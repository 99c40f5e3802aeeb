#pragma once

#include "access/limits.h"
#include "server/config.h"

namespace trawl::server {

[[nodiscard]] access::LimitRules limit_rules(const LimitsConfig& limits);

}  // namespace trawl::server
