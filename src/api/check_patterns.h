#pragma once

#include <string_view>

#include "base/schema.h"

namespace trawl::api {

// What the checks of the rules of bodies and queries accept, as a regular expression for JSON Schema. Empty
// for a check that none can say.
[[nodiscard]] std::string_view pattern_of(Schemas::Check check);

}  // namespace trawl::api
