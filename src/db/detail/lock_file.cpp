#include "db/detail/lock_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::db::detail {
namespace {

// What acquire() of the holder wrote, for the message only.
std::string holder_of(int descriptor) {
  char text[32] = {};
  const ssize_t size = ::pread(descriptor, text, sizeof text - 1, 0);
  const std::string_view pid = trim(std::string_view(text, size > 0 ? static_cast<std::size_t>(size) : 0));
  return pid.empty() ? "another process" : fmt::format("process {}", pid);
}

std::unexpected<Error> held(const std::filesystem::path& file, int descriptor) {
  return fail(
      Errc::conflict,
      fmt::format("the database is in use: {} holds the lock {}; stop it, or choose another database file",
                  holder_of(descriptor), file.string()),
      "database_locked");
}

}  // namespace

Result<LockFile> LockFile::acquire(const std::filesystem::path& file) {
  const int descriptor = ::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
  if (descriptor < 0) {
    const Errc code = errno == ENOSPC || errno == EDQUOT ? Errc::no_space : Errc::unavailable;
    return fail(code, fmt::format("cannot open the lock file {}: {}", file.string(), std::strerror(errno)));
  }
  LockFile lock(descriptor);
  if (::flock(descriptor, LOCK_EX | LOCK_NB) != 0) {
    if (errno == EWOULDBLOCK) return held(file, descriptor);
    return fail(Errc::unavailable, fmt::format("cannot lock {}: {}", file.string(), std::strerror(errno)));
  }
  const std::string pid = fmt::format("{}\n", ::getpid());
  if (::ftruncate(descriptor, 0) == 0) {
    // Only for the message that another process shows, so a full disk does no harm here.
    [[maybe_unused]] const ssize_t written = ::pwrite(descriptor, pid.data(), pid.size(), 0);
  }
  return lock;
}

LockFile::~LockFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

}  // namespace trawl::db::detail
