#pragma once

#include <string>

#include "base/describe.h"
#include "base/file_stamp.h"

namespace trawl::media {

// The SHA-256 of a file of the work folder, worth as much as its stamp still fits.
struct FileDigest {
  std::string name;
  FileStamp stamp;
  std::string sha256;
  friend bool operator==(const FileDigest&, const FileDigest&) = default;
};
BOOST_DESCRIBE_STRUCT(FileDigest, (), (name, stamp, sha256))

}  // namespace trawl::media
