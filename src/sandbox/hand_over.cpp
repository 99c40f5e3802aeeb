#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "sandbox/confinement.h"

namespace trawl::sandbox {
namespace {

constexpr int kDeepest = 16;

// Gives away what `fd` names, unless it is a link, a device, or a file that has another name
// elsewhere: an earlier child may have left those, and what they lead to is not its own.
Done give(int fd, uid_t owner) {
  struct stat info{};
  if (::fstat(fd, &info) != 0) return trouble(kUid, "examining the work folder", errno);
  const bool plain = S_ISDIR(info.st_mode) || (S_ISREG(info.st_mode) && info.st_nlink == 1);
  if (!plain || (info.st_uid == owner && info.st_gid == owner)) return {};
  if (::fchownat(fd, "", owner, owner, AT_EMPTY_PATH) != 0)
    return trouble(kUid, "giving away the work folder", errno);
  return {};
}

Done hand_over_below(int folder, uid_t owner, int depth) {
  if (depth > kDeepest) return trouble(kUid, "giving away the work folder", ELOOP);
  if (auto given = give(folder, owner); !given) return given;
  const int copy = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  DIR* listing = copy < 0 ? nullptr : ::fdopendir(copy);
  if (!listing) {
    if (copy >= 0) ::close(copy);
    return trouble(kUid, "reading the work folder", errno);
  }
  Done done;
  while (const dirent* entry = done ? ::readdir(listing) : nullptr) {
    if (std::strcmp(entry->d_name, ".") == 0 || std::strcmp(entry->d_name, "..") == 0) continue;
    const int fd = ::openat(copy, entry->d_name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0) continue;
    struct stat info{};
    const bool inner = ::fstat(fd, &info) == 0 && S_ISDIR(info.st_mode);
    done = inner ? hand_over_below(fd, owner, depth + 1) : give(fd, owner);
    ::close(fd);
  }
  ::closedir(listing);
  return done;
}

}  // namespace

Done hand_over(int folder, uid_t owner) {
  return hand_over_below(folder, owner, 0);
}

}  // namespace trawl::sandbox
