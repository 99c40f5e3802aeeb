#include "cli/columns.h"

#include <clocale>
#include <cstdint>
#include <cwchar>
#include <locale.h>

#include "base/text.h"
#include "base/unicode.h"

namespace trawl::cli {
namespace {

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

void skip_colour(std::string_view& text) {
  text.remove_prefix(std::min(text.find('m'), text.size() - 1) + 1);
}

// The longest beginning of `text` that takes at most `width` columns, and what it takes.
std::pair<std::string_view, int> head(std::string_view text, int width) {
  std::string_view rest = text;
  int used = 0;
  while (!rest.empty()) {
    std::string_view next = rest;
    const int wide = width_of(take_character(next));
    if (used + wide > width) break;
    used += wide;
    rest = next;
  }
  return {text.substr(0, text.size() - rest.size()), used};
}

}  // namespace

std::string printable(std::string_view text, bool ascii) {
  std::string out = without_controls(text, " ");
  if (ascii) {
    std::string plain;
    for (std::string_view rest = out; !rest.empty();) {
      const char32_t c = take_character(rest);
      plain += c < 0x80 ? static_cast<char>(c) : '?';
    }
    out = std::move(plain);
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
      out += width_of(take_character(text));
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
