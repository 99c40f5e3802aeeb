#include "http/range.h"

#include <algorithm>
#include <optional>

#include "base/text.h"
#include "http/detail/field_value.h"

namespace trawl::http {
namespace {

constexpr RangeAnswer kWhole{};
constexpr RangeAnswer kUnsatisfiable{.kind = RangeAnswer::Kind::unsatisfiable};

bool digits(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
}

// A number that is too large for 64 bits lies behind the end of every file: the largest one does too.
std::uint64_t number(std::string_view text) {
  std::uint64_t value = 0;
  for (const char c : text) {
    const auto digit = static_cast<std::uint64_t>(c - '0');
    if (value > (UINT64_MAX - digit) / 10) return UINT64_MAX;
    value = value * 10 + digit;
  }
  return value;
}

// The one range of the set; nothing when there are none or several. Empty elements of a list count
// for nothing (RFC 9110 5.6.1).
std::optional<std::string_view> only_range(std::string_view set) {
  std::optional<std::string_view> only;
  for (const std::string_view element : split(set, ',')) {
    const std::string_view range = trim(element);
    if (range.empty()) continue;
    if (only) return std::nullopt;
    only = range;
  }
  return only;
}

RangeAnswer last_bytes(std::uint64_t count, std::uint64_t size) {
  if (count == 0) return kUnsatisfiable;
  if (size == 0) return kWhole;  // Content-Range has no way to say "nothing of nothing".
  return {.kind = RangeAnswer::Kind::part, .first = size - std::min(count, size), .last = size - 1};
}

}  // namespace

RangeAnswer answer_range(std::string_view field, std::uint64_t size) {
  const auto equals = field.find('=');
  if (equals == std::string_view::npos || !detail::same_token(trim(field.substr(0, equals)), "bytes"))
    return kWhole;
  const auto range = only_range(field.substr(equals + 1));
  if (!range) return kWhole;
  const auto dash = range->find('-');
  if (dash == std::string_view::npos) return kWhole;
  const std::string_view from = range->substr(0, dash);
  const std::string_view to = range->substr(dash + 1);
  if (from.empty()) return digits(to) ? last_bytes(number(to), size) : kWhole;
  if (!digits(from) || (!to.empty() && !digits(to))) return kWhole;

  const std::uint64_t first = number(from);
  const std::uint64_t last = to.empty() ? UINT64_MAX : number(to);
  if (last < first) return kWhole;
  if (first >= size) return kUnsatisfiable;
  return {.kind = RangeAnswer::Kind::part, .first = first, .last = std::min(last, size - 1)};
}

}  // namespace trawl::http
