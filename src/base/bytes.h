#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl {

// A number of bytes.
struct ByteCount {
  std::int64_t value = 0;
  friend auto operator<=>(const ByteCount&, const ByteCount&) = default;
};

// "1.50 MiB", for people.
[[nodiscard]] std::string to_text(ByteCount bytes);

// "10 GiB", "512k", "1048576": a number with an optional binary unit (k, m, g, t; KiB, MB, ...).
[[nodiscard]] Result<ByteCount> parse_bytes(std::string_view text);

}  // namespace trawl
