#pragma once

#include <memory>
#include <string>

#include "remux/av.h"

namespace trawl::remux {

struct FileIoCloser {
  void operator()(AVIOContext* io) const;
};

// A plain file for libavformat. None of its own protocols is used, so nothing that a file
// says can make it open another one. Closing writes what is buffered.
using FileIo = std::unique_ptr<AVIOContext, FileIoCloser>;

// Errc::unsupported unless `path` is a regular file.
[[nodiscard]] Result<FileIo> open_for_reading(const std::string& path);
// Errc::internal when the file cannot be made; an old one is emptied.
[[nodiscard]] Result<FileIo> open_for_writing(const std::string& path);

}  // namespace trawl::remux
