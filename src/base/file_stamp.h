#pragma once

#include <cstdint>

#include "base/describe.h"

struct stat;

namespace trawl {

// Tells whether a file is still what it was: every write and every rename changes the stamp.
struct FileStamp {
  std::int64_t inode = 0;
  std::int64_t size = 0;
  std::int64_t modified_ns = 0;
  std::int64_t changed_ns = 0;  // No program can set this one back.
  friend bool operator==(const FileStamp&, const FileStamp&) = default;
};
BOOST_DESCRIBE_STRUCT(FileStamp, (), (inode, size, modified_ns, changed_ns))

[[nodiscard]] FileStamp stamp_of(const struct ::stat& info);

}  // namespace trawl
