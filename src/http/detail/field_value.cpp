#include "http/detail/field_value.h"

#include <algorithm>

#include "base/clock.h"
#include "base/id.h"
#include "base/text.h"

namespace trawl::http::detail {
namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool id_character(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '.' || c == '_' ||
         c == '-';
}

}  // namespace

bool same_token(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) { return lower(x) == lower(y); });
}

bool list_contains(std::string_view list, std::string_view token) {
  for (const std::string_view item : split(list, ',')) {
    if (same_token(trim(item), token)) return true;
  }
  return false;
}

std::string choose_request_id(std::string_view offered) {
  if (!offered.empty() && offered.size() <= 64 && std::ranges::all_of(offered, id_character))
    return std::string(offered);
  return Uuid::make(SystemClock().now()).str();
}

std::string safe_field_value(std::string_view value) {
  std::string out(value);
  for (char& c : out) {
    if ((static_cast<unsigned char>(c) < 0x20 && c != '\t') || c == 0x7f) c = ' ';
  }
  return out;
}

}  // namespace trawl::http::detail
