#pragma once

#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "net/url.h"
#include "transfer/http_client.h"

namespace trawl::transfer::detail {

// True for the answers to a GET that send it elsewhere: 301, 302, 303, 307 and 308 with a Location.
[[nodiscard]] bool is_redirect(const Head& head);

// Where a Location leads from `base` (RFC 3986 section 5). Errc::forbidden ("redirect_not_allowed")
// for anything but an http(s) URL.
[[nodiscard]] Result<net::Url> redirect_target(const net::Url& base, std::string_view location);

[[nodiscard]] bool same_origin(const net::Url& a, const net::Url& b);

// The request headers somebody else chose, without those this client sets itself (Host, Range,
// Accept-Encoding, Cookie, hop-by-hop ones) and those that are not well-formed.
[[nodiscard]] std::map<std::string, std::string> sendable(const std::map<std::string, std::string>& headers);

// Takes away what must not reach another origin.
void drop_credentials(std::map<std::string, std::string>& headers);

// A cookie in the form of CURLOPT_COOKIELIST (a line of a Netscape cookie file), or empty when it
// has characters that such a line cannot carry.
[[nodiscard]] std::string cookie_line(const media::Cookie& cookie);

}  // namespace trawl::transfer::detail
