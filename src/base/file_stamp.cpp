#include "base/file_stamp.h"

#include <sys/stat.h>

namespace trawl {
namespace {

std::int64_t nanoseconds(const timespec& time) {
  return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

FileStamp stamp_of(const struct ::stat& info) {
  return {.inode = static_cast<std::int64_t>(info.st_ino),
          .size = info.st_size,
          .modified_ns = nanoseconds(info.st_mtim),
          .changed_ns = nanoseconds(info.st_ctim)};
}

}  // namespace trawl
