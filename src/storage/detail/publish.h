#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "storage/detail/lease_folder.h"

namespace trawl::storage::detail {

// Moves files of `staging`, a lease's work folder, to its content folder, durably: fsync and hash all, then
// rename all, then fsync the folders. Blocks. The promises are those of Blobs::publish.
[[nodiscard]] Result<std::vector<PublishedFile>> publish_files(const std::filesystem::path& root,
                                                               const std::filesystem::path& staging,
                                                               const LeaseName& lease,
                                                               const std::vector<FileToPublish>& files);

}  // namespace trawl::storage::detail
