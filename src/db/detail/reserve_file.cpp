#include "db/detail/reserve_file.h"

#include <algorithm>
#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/log.h"

namespace trawl::db::detail {
namespace {

constexpr std::int64_t kLargest = 8 << 20;
constexpr std::chrono::seconds kTryEvery{1};
constexpr std::int64_t kShare = 8;  // At most one part in so many of the disk.

}  // namespace

ReserveFile::ReserveFile(std::filesystem::path file) : file_(std::move(file)) {
  std::error_code missing;
  held_ = std::filesystem::file_size(file_, missing) > 0 && !missing;
  adjust();
}

void ReserveFile::adjust() {
  struct statvfs disk{};
  if (::statvfs(file_.parent_path().c_str(), &disk) != 0) return;
  const auto unit = static_cast<std::int64_t>(disk.f_frsize);
  const std::int64_t available = static_cast<std::int64_t>(disk.f_bavail) * unit;
  const std::int64_t size = std::min(kLargest, static_cast<std::int64_t>(disk.f_blocks) * unit / kShare);
  if (held_ && available < size / 2) return give_up();
  if (held_) return;
  if (available < 2 * size)
    given_up_ = true;
  else if (may_try())
    take(size);
}

// Where a quota or the file system refuses it, not every write is to ask again.
bool ReserveFile::may_try() {
  const auto now = std::chrono::steady_clock::now();
  if (now < next_try_) return false;
  next_try_ = now + kTryEvery;
  return true;
}

void ReserveFile::take(std::int64_t size) {
  const int file = ::open(file_.c_str(), O_WRONLY | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return;
  // Blocks are taken or they are not: a file with holes would keep nothing.
  const bool taken = ::posix_fallocate(file, 0, size) == 0;
  ::close(file);
  if (!taken) {
    ::unlink(file_.c_str());
    return;
  }
  held_ = true;
  if (given_up_.exchange(false)) log_info("the database has its reserve of disk space again");
}

void ReserveFile::give_up() {
  if (!held_) return;
  held_ = false;
  given_up_ = true;
  ::unlink(file_.c_str());
  log_warn("the disk of the database is full: its reserve is given up", {{"file", file_.string()}});
}

}  // namespace trawl::db::detail
