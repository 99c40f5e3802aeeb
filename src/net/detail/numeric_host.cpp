#include "net/detail/numeric_host.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <limits>

#include "base/text.h"

namespace trawl::net::detail {
namespace {

bool has_hex_prefix(std::string_view label) {
  return label.size() >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X');
}

std::optional<std::uint32_t> read_number(std::string_view label) {
  int base = 10;
  if (has_hex_prefix(label)) {
    base = 16;
    label.remove_prefix(2);
  } else if (label.size() > 1 && label[0] == '0') {
    base = 8;
    label.remove_prefix(1);
  }
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(label.data(), label.data() + label.size(), value, base);
  if (error != std::errc{} || end != label.data() + label.size()) return std::nullopt;
  return value;
}

}  // namespace

bool ends_in_number(std::string_view host) {
  const std::string_view last = split(host, '.').back();
  if (last.empty()) return false;
  if (has_hex_prefix(last)) {
    return std::ranges::all_of(last.substr(2), [](unsigned char c) { return std::isxdigit(c) != 0; });
  }
  return std::ranges::all_of(last, [](char c) { return c >= '0' && c <= '9'; });
}

std::optional<std::uint32_t> read_inet_aton(std::string_view host) {
  const auto labels = split(host, '.');
  if (labels.size() > 4) return std::nullopt;
  std::uint32_t address = 0;
  for (std::size_t i = 0; i < labels.size(); ++i) {
    const auto number = read_number(labels[i]);
    if (!number) return std::nullopt;
    const bool last = i + 1 == labels.size();
    const auto bytes = last ? 4 - i : 1;
    const std::uint32_t limit =
        bytes == 4 ? std::numeric_limits<std::uint32_t>::max() : (1U << (8 * bytes)) - 1;
    if (*number > limit) return std::nullopt;
    address |= last ? *number : *number << (24 - 8 * i);
  }
  return address;
}

}  // namespace trawl::net::detail
