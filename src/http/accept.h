#pragma once

#include <string_view>

namespace trawl::http {

// What a client takes (RFC 9110 12.5), with q=0 as a refusal.

// Whether an Accept-Encoding value allows gzip.
[[nodiscard]] bool accepts_gzip(std::string_view accept_encoding);

// Whether an Accept value asks for `media` ("text/html") by its name, and not just for anything.
[[nodiscard]] bool asks_for(std::string_view accept, std::string_view media);

}  // namespace trawl::http
