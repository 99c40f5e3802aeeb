#pragma once

#include <string>
#include <string_view>

#include "base/id.h"
#include "base/result.h"

namespace trawl::storage {

inline constexpr std::size_t kMaxPathBytes = 1024;

// Checks an artifact's name in the API: relative, at most 1024 bytes of UTF-8, no empty, "." or ".."
// segment, no NUL. Errc::invalid says what is wrong.
[[nodiscard]] Result<void> check_path(std::string_view path);

// Checks the name of a file in a folder: one plain segment of at most 255 bytes of UTF-8.
[[nodiscard]] Result<void> check_segment(std::string_view name);

// The name to try after `collisions` collisions of `path`: itself, then "Title-1a2b3c4d.mp4" with
// eight random digits of the job's id, then "Title-1a2b3c4d-2.mp4" and so on.
[[nodiscard]] std::string candidate_path(std::string_view path, const JobId& job, int collisions);

}  // namespace trawl::storage
