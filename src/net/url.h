#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl::net {

// An absolute http or https URL (RFC 3986), taken apart.
struct Url {
  std::string scheme;  // "http" or "https", lower case.
  std::string host;    // Lower case; IPv6 without brackets.
  std::uint16_t port = 0;
  std::string target;  // Path and query, at least "/".
};

// Trims, then parses strictly. Errc::invalid with reason "invalid_url" for anything else than an
// absolute http(s) URL with a host and without userinfo, control characters, white space or
// backslashes in it.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

// The URL as it may be logged: without query and fragment.
[[nodiscard]] std::string redact_url(std::string_view text);

}  // namespace trawl::net
