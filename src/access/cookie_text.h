#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"

namespace trawl::access {

// A cookie as browsers export it.
struct BrowserCookie {
  std::string domain;  // Without a leading dot.
  bool subdomains = false;
  std::string path = "/";
  bool secure = false;
  bool http_only = false;
  std::optional<std::int64_t> expires;  // Seconds since 1970; empty for the browser's session.
  std::string name, value;
  friend bool operator==(const BrowserCookie&, const BrowserCookie&) = default;
};

// Reads what people export from a browser: Netscape text (seven tab-separated
// fields; the header line may be missing), a JSON array of cookies as browser
// extensions write it, or an object with that array as `cookies`.
// Errc::invalid, reason "invalid_cookies", names the line or entry, never what
// is in it.
[[nodiscard]] Result<std::vector<BrowserCookie>> parse_cookies(std::string_view text);

// The same cookies as Netscape text, which yt-dlp and curl read.
[[nodiscard]] std::string netscape_text(const std::vector<BrowserCookie>& cookies);

// What may be told about cookies.
struct CookieFacts {
  std::vector<std::string> domains;        // Sorted, each once.
  std::optional<SystemTime> first_expiry;  // Of those that have one.
  std::optional<SystemTime> expires_at;    // When the last one ends; empty when some never do.
};
[[nodiscard]] CookieFacts facts_of(const std::vector<BrowserCookie>& cookies);

}  // namespace trawl::access
