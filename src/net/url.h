#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl::net {

// An absolute http or https URL (RFC 3986), taken apart.
struct Url {
  std::string scheme;  // "http" or "https", lower case.
  std::string host;    // As parse_host gives it.
  std::uint16_t port = 0;
  std::string target;  // Path and query, at least "/".

  friend bool operator==(const Url&, const Url&) = default;
};

// Trims, then parses strictly. Errc::invalid with reason "invalid_url" for anything else than an
// absolute http(s) URL with a host and without userinfo, control characters, white space or
// backslashes in it.
//
// Characters that RFC 3986 forbids in path and query but people paste (umlauts, brackets, a lone
// percent sign) are percent-encoded; the host gets no such leniency.
[[nodiscard]] Result<Url> parse_url(std::string_view text);

// A host in the one spelling the rest of the program knows: lower case, no trailing dot, IPv6
// without brackets, IPv4 always as four decimal numbers. Every spelling that inet_aton reads as
// an IPv4 address (2130706433, 0x7f.1, 0177.0.0.1) becomes that address, so that a judge sees
// what a resolver would dial. Errc::invalid, reason "invalid_url", for zone ids, percent escapes,
// names with non-ASCII characters (the punycode form is accepted) and malformed names.
[[nodiscard]] Result<std::string> parse_host(std::string_view text);

struct Authority {
  std::string host;                   // As parse_host gives it.
  std::optional<std::uint16_t> port;  // 1..65535
};

// "host", "host:port", "[v6]:port"; an empty port is no port. Errors as parse_host.
[[nodiscard]] Result<Authority> parse_authority(std::string_view text);

// "host[:port]" as it stands in a Host header: no default port, IPv6 in brackets.
[[nodiscard]] std::string to_authority(const Url& url);
[[nodiscard]] std::string to_string(const Url& url);

// The URL as it may be logged: without userinfo, query and fragment, whatever state it is in.
[[nodiscard]] std::string redact_url(std::string_view text);

}  // namespace trawl::net
