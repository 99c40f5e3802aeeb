#include "base/unicode.h"

#include <cstdint>

#include "base/text.h"

namespace trawl {
namespace {

bool control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

// The bidirectional formatting characters of Unicode Standard Annex 9.
bool reorders(char32_t c) {
  return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

}  // namespace

char32_t take_character(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<std::uint8_t>(text[i])); };
  const char32_t lead = byte(0);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t out = length == 1 ? lead : lead & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) out = out << 6 | (byte(i) & 0x3f);
  text.remove_prefix(length);
  return out;
}

std::string without_controls(std::string_view text, std::string_view replacement) {
  const std::string valid = to_valid_utf8(text);
  std::string out;
  out.reserve(valid.size());
  for (std::string_view rest = valid; !rest.empty();) {
    const std::string_view before = rest;
    const char32_t c = take_character(rest);
    if (reorders(c)) continue;
    out += control(c) ? replacement : before.substr(0, before.size() - rest.size());
  }
  return out;
}

}  // namespace trawl
