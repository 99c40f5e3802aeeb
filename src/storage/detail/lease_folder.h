#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string_view>
#include <vector>

#include "base/id.h"
#include "base/result.h"
#include "storage/blobs.h"

namespace trawl::storage::detail {

[[nodiscard]] std::filesystem::path staging_folder(const std::filesystem::path& root, const LeaseName& lease);
// Relative to the root, as locations are.
[[nodiscard]] std::filesystem::path content_folder(const LeaseName& lease);

// Reads a non-negative number without sign or leading zeros.
[[nodiscard]] std::optional<std::int64_t> parse_epoch(std::string_view text);
// Reads the name of a folder in staging/.
[[nodiscard]] std::optional<LeaseName> parse_staging_name(std::string_view name);

// All work folders; names that are none are passed over.
[[nodiscard]] Result<std::vector<LeaseName>> list_staging(const std::filesystem::path& root);

enum class TakeOver { move, copy };

// Makes the newest work folder of an earlier lease, or a copy of it, that of `lease` and removes the
// others. Makes an empty one if there is none. Errc::conflict if a later lease has one.
[[nodiscard]] Result<void> take_over_staging(const std::filesystem::path& root, const LeaseName& lease,
                                             TakeOver how);

// Removes a folder with everything in it, not following links; false if it was not there or could
// not be removed, which is logged.
bool remove_tree(const std::filesystem::path& folder);

}  // namespace trawl::storage::detail
