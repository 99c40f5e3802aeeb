#include "downloads/attempt_errors.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace trawl::downloads {

std::optional<Keep> keep_after(const Error& error) {
  if (error.reason == "parts_missing") return Keep::plan;
  if (error.reason == "origin_forbidden" || error.reason == "http_404" || error.reason == "not_found" ||
      error.reason == "plan_not_reusable")
    return Keep::nothing;
  return std::nullopt;
}

bool is_turned_away(const Error& error) {
  return error.reason == "origin_forbidden" || error.reason == "rate_limited";
}

Error larger_than(std::int64_t max_bytes) {
  return {Errc::too_large,
          fmt::format("the download is larger than {} (download.max_bytes)", to_text(ByteCount{max_bytes})),
          "too_large"};
}

}  // namespace trawl::downloads
