#include "transfer/content_range.h"

#include <charconv>

namespace trawl::transfer {
namespace {

// Digits only: no sign, no blanks.
bool take_number(std::string_view& text, std::int64_t& out) {
  if (text.empty() || text.front() < '0' || text.front() > '9') return false;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc{}) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}

bool take(std::string_view& text, char expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(1);
  return true;
}

}  // namespace

std::optional<ContentRange> parse_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return std::nullopt;
  text.remove_prefix(kUnit.size());
  ContentRange out;
  if (!take_number(text, out.first) || !take(text, '-') || !take_number(text, out.last) || !take(text, '/'))
    return std::nullopt;
  if (text != "*") {
    std::int64_t total = 0;
    if (!take_number(text, total) || !text.empty() || out.last >= total) return std::nullopt;
    out.total = total;
  }
  if (out.last < out.first) return std::nullopt;
  return out;
}

}  // namespace trawl::transfer
