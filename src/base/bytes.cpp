#include "base/bytes.h"

#include <array>
#include <cctype>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

namespace trawl {

std::string to_text(ByteCount bytes) {
  constexpr std::array units{"B", "KiB", "MiB", "GiB", "TiB", "PiB"};
  auto amount = static_cast<double>(bytes.value);
  std::size_t unit = 0;
  while (std::abs(amount) >= 1024 && unit + 1 < units.size()) {
    amount /= 1024;
    ++unit;
  }
  return unit == 0 ? fmt::format("{} B", bytes.value) : fmt::format("{:.2f} {}", amount, units[unit]);
}

Result<ByteCount> parse_bytes(std::string_view text) {
  const auto bad = [&] {
    return fail(Errc::invalid, fmt::format("'{}' is not a size such as 10GiB or 1048576", text));
  };
  double amount = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), amount);
  if (error != std::errc{} || amount < 0) return bad();

  std::string unit;
  for (const char c : text.substr(static_cast<std::size_t>(end - text.data()))) {
    if (c != ' ') unit += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  if (unit.ends_with("ib"))
    unit.resize(unit.size() - 2);
  else if (unit.ends_with('b'))
    unit.pop_back();
  constexpr std::string_view kUnits = "kmgt";
  if (unit.size() > 1 || (unit.size() == 1 && kUnits.find(unit[0]) == std::string_view::npos)) return bad();

  const int power = unit.empty() ? 0 : static_cast<int>(kUnits.find(unit[0])) + 1;
  const double total = amount * std::pow(1024.0, power);
  if (total > 9e18) return bad();
  return ByteCount{static_cast<std::int64_t>(total)};
}

}  // namespace trawl
