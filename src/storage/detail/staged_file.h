#pragma once

#include <filesystem>
#include <optional>
#include <string>

#include "base/result.h"
#include "storage/blobs.h"
#include "storage/detail/folder.h"

namespace trawl::storage::detail {

// Opens a plain file of a lease's work folder, which has no other name. The engine's children write there and
// are not trusted: no link may lead out of the folder. `shown` is for messages.
[[nodiscard]] Result<Descriptor> open_staged(const Descriptor& folder, const std::string& name,
                                             const std::filesystem::path& shown);

// Makes the file ours: a child in a sandbox may have been a user of its own, whose number another child
// will have.
[[nodiscard]] Result<void> take_back(const Descriptor& file, const std::filesystem::path& shown);

// The digest as it was made on the way, if nothing has touched the file since.
[[nodiscard]] std::optional<PublishedFile> known_digest(const Descriptor& file,
                                                        const std::optional<media::FileDigest>& digest);
[[nodiscard]] Result<PublishedFile> hash_file(const Descriptor& file, const std::filesystem::path& shown);

}  // namespace trawl::storage::detail
