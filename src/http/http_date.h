#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace trawl::http {

// RFC 9110 5.6.7: "Sun, 06 Nov 1994 08:49:37 GMT".
[[nodiscard]] std::string to_http_date(std::chrono::sys_seconds time);

// Reads that form and the two obsolete ones (RFC 850 and asctime).
[[nodiscard]] std::optional<std::chrono::sys_seconds> parse_http_date(std::string_view text);

}  // namespace trawl::http
