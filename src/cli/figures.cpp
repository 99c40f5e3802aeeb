#include "cli/figures.h"

#include <cmath>

#include <fmt/format.h>

namespace trawl::cli {
namespace {

constexpr const char* kUnits[] = {"B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"};

// The unit in which a size has at most four digits before the point.
std::size_t unit_of(double bytes) {
  std::size_t unit = 0;
  while (bytes >= 1023.95 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return unit;
}

std::string in_unit(double bytes, std::size_t unit) {
  return fmt::format("{:.{}f}", bytes / std::pow(1024.0, unit), unit == 0 ? 0 : 1);
}

}  // namespace

std::optional<int> percent_of(const media::Progress& progress) {
  if (!progress.total_bytes || *progress.total_bytes <= 0) return std::nullopt;
  if (progress.downloaded_bytes >= *progress.total_bytes) return 100;
  const double share =
      static_cast<double>(progress.downloaded_bytes) / static_cast<double>(*progress.total_bytes);
  return std::clamp(static_cast<int>(share * 100), 0, 99);
}

std::string size_text(std::int64_t bytes) {
  const auto amount = static_cast<double>(bytes);
  const std::size_t unit = unit_of(amount);
  return fmt::format("{} {}", in_unit(amount, unit), kUnits[unit]);
}

std::string amount_text(const media::Progress& progress) {
  if (!progress.total_bytes || *progress.total_bytes <= 0) return size_text(progress.downloaded_bytes);
  const auto total = static_cast<double>(*progress.total_bytes);
  const std::size_t unit = unit_of(total);
  const auto done = static_cast<double>(progress.downloaded_bytes);
  return fmt::format("{}/{} {}", in_unit(done, unit), in_unit(total, unit), kUnits[unit]);
}

std::string speed_text(std::optional<double> speed) {
  if (!speed || !(*speed >= 0) || *speed > 1e18) return {};
  return size_text(static_cast<std::int64_t>(*speed)) + "/s";
}

std::string duration_text(double seconds) {
  if (!(seconds >= 0) || seconds > 1e9) return {};
  const auto whole = static_cast<std::int64_t>(std::ceil(seconds));
  const std::int64_t days = whole / 86400, hours = whole / 3600, minutes = whole / 60 % 60;
  if (days > 0) return fmt::format("{}d {}h", days, hours % 24);
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, minutes, whole % 60);
  return fmt::format("{}:{:02}", minutes, whole % 60);
}

}  // namespace trawl::cli
