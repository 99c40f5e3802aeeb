#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"

namespace trawl::downloads {

// What an earlier attempt left may be of no use any more: the site's addresses expire, and parts can
// be lost. How much of it to keep then; nothing when the error has another cause.
enum class Keep { plan, nothing };
[[nodiscard]] std::optional<Keep> keep_after(const Error& error);

// A site that will not serve this client address may serve another.
[[nodiscard]] bool is_turned_away(const Error& error);

// The error of a download that grew past the limit.
[[nodiscard]] Error larger_than(std::int64_t max_bytes);

}  // namespace trawl::downloads
