#pragma once

#include <cstdint>
#include <string_view>

namespace trawl::http {

// What a Range field asks of a file of a known size.
struct RangeAnswer {
  enum class Kind {
    whole,          // 200: no range, several, another unit, or not a range at all (RFC 9110 14.2).
    part,           // 206: `first` to `last`.
    unsatisfiable,  // 416: a proper range that lies behind the end.
  } kind = Kind::whole;
  std::uint64_t first = 0;
  std::uint64_t last = 0;  // Inclusive.

  friend bool operator==(const RangeAnswer&, const RangeAnswer&) = default;
};

[[nodiscard]] RangeAnswer answer_range(std::string_view field, std::uint64_t size);

}  // namespace trawl::http
