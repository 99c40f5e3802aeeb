#pragma once

#include <string>
#include <string_view>

namespace trawl::http::detail {

// ASCII letters compare without case.
[[nodiscard]] bool same_token(std::string_view a, std::string_view b);

// True when the comma-separated `list` (Connection, Upgrade) has the token.
[[nodiscard]] bool list_contains(std::string_view list, std::string_view token);

// The client's X-Request-ID when it is 1 to 64 characters of [A-Za-z0-9._-], else a new UUIDv7.
[[nodiscard]] std::string choose_request_id(std::string_view offered);

// `value` without the control characters that could end a header line.
[[nodiscard]] std::string safe_field_value(std::string_view value);

}  // namespace trawl::http::detail
