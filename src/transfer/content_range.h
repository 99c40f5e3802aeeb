#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

namespace trawl::transfer {

// "bytes 0-9/100" or "bytes 0-9/*" (RFC 9110 section 14.4).
struct ContentRange {
  std::int64_t first = 0;
  std::int64_t last = 0;  // Inclusive.
  std::optional<std::int64_t> total;
};

[[nodiscard]] std::optional<ContentRange> parse_content_range(std::string_view text);

}  // namespace trawl::transfer
