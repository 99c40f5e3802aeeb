#pragma once

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "media/digest.h"
#include "storage/detail/lease_folder.h"

namespace trawl::storage::detail {

struct FileToPublish {
  std::string name;
  std::optional<media::FileDigest> digest;
};

struct PublishedFile {
  std::int64_t size = 0;
  std::string sha256;
};

// Moves files of a lease's work folder to its content folder, durably: fsync and hash all, then
// rename all, then fsync the folders. Blocks. The promises are those of DirectoryStorage::publish.
[[nodiscard]] Result<std::vector<PublishedFile>> publish_files(const std::filesystem::path& root,
                                                               const LeaseName& lease,
                                                               const std::vector<FileToPublish>& files);

}  // namespace trawl::storage::detail
