#include "cli/columns.h"

#include <clocale>
#include <cstdint>
#include <cwchar>
#include <locale.h>

#include "base/text.h"

namespace trawl::cli {
namespace {

// Takes the first character off well-formed UTF-8.
char32_t take(std::string_view& text) {
  const auto byte = [&](std::size_t i) { return static_cast<char32_t>(static_cast<std::uint8_t>(text[i])); };
  const char32_t lead = byte(0);
  const std::size_t length = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
  char32_t out = length == 1 ? lead : lead & (0x7f >> length);
  for (std::size_t i = 1; i < length; ++i) out = out << 6 | (byte(i) & 0x3f);
  text.remove_prefix(length);
  return out;
}

// The C library knows how wide characters are, but only in a UTF-8 locale, and the process's own may
// be another.
class Utf8Locale {
 public:
  Utf8Locale() : previous_(uselocale(shared())) {}
  ~Utf8Locale() { uselocale(previous_); }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;

 private:
  static locale_t shared() {
    static const locale_t instance = newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr);
    return instance;  // Null leaves the current one in place.
  }
  locale_t previous_;
};

// For use under a Utf8Locale. A character the library cannot judge takes one column.
int width_of(char32_t c) {
  const int width = wcwidth(static_cast<wchar_t>(c));
  return width < 0 ? 1 : width;
}

bool control(char32_t c) {
  return c < 0x20 || (c >= 0x7f && c < 0xa0) || c == 0x2028 || c == 0x2029;
}

bool reorders(char32_t c) {
  return c == 0x061c || c == 0x200e || c == 0x200f || (c >= 0x202a && c <= 0x202e) ||
         (c >= 0x2066 && c <= 0x2069);
}

void skip_colour(std::string_view& text) {
  text.remove_prefix(std::min(text.find('m'), text.size() - 1) + 1);
}

// The longest beginning of `text` that takes at most `width` columns, and what it takes.
std::pair<std::string_view, int> head(std::string_view text, int width) {
  std::string_view rest = text;
  int used = 0;
  while (!rest.empty()) {
    std::string_view next = rest;
    const int wide = width_of(take(next));
    if (used + wide > width) break;
    used += wide;
    rest = next;
  }
  return {text.substr(0, text.size() - rest.size()), used};
}

}  // namespace

std::string printable(std::string_view text, bool ascii) {
  const std::string valid = to_valid_utf8(text);
  std::string out;
  for (std::string_view rest = valid; !rest.empty();) {
    const std::string_view before = rest;
    const char32_t c = take(rest);
    if (reorders(c)) continue;
    if (control(c))
      out += ' ';
    else if (ascii && c >= 0x80)
      out += '?';
    else
      out += before.substr(0, before.size() - rest.size());
  }
  return std::string(trim(out));
}

int columns(std::string_view text) {
  const Utf8Locale locale;
  int out = 0;
  while (!text.empty()) {
    if (text.front() == '\x1b')
      skip_colour(text);
    else
      out += width_of(take(text));
  }
  return out;
}

std::string fit(std::string_view text, int width, std::string_view ellipsis) {
  if (width <= 0) return {};
  const Utf8Locale locale;
  auto [kept, used] = head(text, width);
  std::string out(kept);
  if (kept.size() != text.size()) {
    const auto [mark, mark_width] = head(ellipsis, width);
    std::tie(kept, used) = head(text, width - mark_width);
    out = kept;
    out += mark;
    used += mark_width;
  }
  return out.append(static_cast<std::size_t>(width - used), ' ');
}

}  // namespace trawl::cli
