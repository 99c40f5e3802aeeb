#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "media/plan.h"

namespace trawl::downloads {

// The MIME type of a file by its first bytes, whatever it is called. Blocks. Errc::internal when the
// magic database or the file cannot be read.
[[nodiscard]] Result<std::string> sniff(const std::filesystem::path& file);

// The extension a file of this kind and content is to be published under: its own if the two agree, else
// the usual one of its content. Errc::forbidden ("unsafe_content") for content that has no business in a
// file of this kind: programs, scripts, archives, pages.
[[nodiscard]] Result<std::string> fitting_extension(media::Kind kind, std::string_view extension,
                                                    std::string_view mime_type);

// The file of `folder` under a name that fits its content, renamed if need be. Blocks. Errors of both above.
[[nodiscard]] Result<media::Produced> publishable(media::Produced file, const std::filesystem::path& folder);

// All that a download made, under such names. A medium that holds something else is an error; what only comes
// with it is left out, with words about why. Blocks.
struct Publishable {
  std::vector<media::Produced> files;
  std::vector<std::string> left_out;
};
[[nodiscard]] Result<Publishable> publishable(std::vector<media::Produced> files,
                                              const std::filesystem::path& folder);

}  // namespace trawl::downloads
