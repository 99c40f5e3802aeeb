#pragma once

#include <string>

#include "base/json.h"

namespace trawl::api {

// Rewrites the body of a download as an older service knew it (API.md 6.2) in today's names:
// `include_transcription`, and `output_format`, which named a container or a sound format. A field that is
// given by today's name wins.
[[nodiscard]] json::object with_newer_names(json::object body);

// The same for the text of a body; what is no JSON object is left as it is.
[[nodiscard]] std::string with_newer_names(std::string body);

}  // namespace trawl::api
