#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "media/plan.h"

namespace trawl::cli {

// Whole percent, 100 only when everything is there; nothing without a total.
[[nodiscard]] std::optional<int> percent_of(const media::Progress& progress);

[[nodiscard]] std::string size_text(std::int64_t bytes);                 // "12.3 MiB"
[[nodiscard]] std::string amount_text(const media::Progress& progress);  // "12.3/45.0 MiB", "12.3 MiB"
[[nodiscard]] std::string speed_text(std::optional<double> speed);       // "3.1 MiB/s"; empty if unknown.
[[nodiscard]] std::string duration_text(double seconds);                 // "0:12", "1:02:03", "4d 3h"

}  // namespace trawl::cli
