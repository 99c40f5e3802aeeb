#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace trawl {

// `text` with every byte that is not part of well-formed UTF-8 replaced by U+FFFD.
[[nodiscard]] std::string to_valid_utf8(std::string_view text);

// At most `bytes` bytes of well-formed UTF-8, cut between characters.
[[nodiscard]] std::string_view truncate_utf8(std::string_view text, std::size_t bytes);

[[nodiscard]] std::string_view trim(std::string_view text);
[[nodiscard]] std::string to_lower(std::string_view text);  // ASCII only.
[[nodiscard]] std::vector<std::string_view> split(std::string_view text, char separator);

// Decodes %XX; a malformed escape is kept as it stands. `+` stays `+` unless `plus_is_space`.
[[nodiscard]] std::string percent_decode(std::string_view text, bool plus_is_space = false);
// Encodes everything but RFC 3986 unreserved characters and those in `keep`.
[[nodiscard]] std::string percent_encode(std::string_view text, std::string_view keep = {});

}  // namespace trawl
