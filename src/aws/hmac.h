#pragma once

#include <string>
#include <string_view>

namespace trawl::aws {

// HMAC-SHA256 as 32 raw bytes.
[[nodiscard]] std::string hmac_sha256(std::string_view key, std::string_view text);

[[nodiscard]] std::string to_hex(std::string_view bytes);

}  // namespace trawl::aws
