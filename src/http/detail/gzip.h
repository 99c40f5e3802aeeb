#pragma once

#include <string>
#include <string_view>

#include "http/message.h"

namespace trawl::http::detail {

// True for JSON bodies that are long enough to gain from compression.
[[nodiscard]] bool compressible(const Response& response);

// The body in gzip form (RFC 1952). Throws std::runtime_error when zlib cannot start.
[[nodiscard]] std::string gzip(std::string_view body);

}  // namespace trawl::http::detail
