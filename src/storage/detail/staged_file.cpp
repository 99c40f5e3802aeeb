#include "storage/detail/staged_file.h"

#include <cerrno>
#include <fcntl.h>
#include <span>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/sha256.h"

namespace trawl::storage::detail {
namespace {

constexpr std::size_t kBlock = 1024 * 1024;

std::unexpected<Error> not_plain(const std::filesystem::path& file, std::string_view what) {
  return fail(Errc::invalid, fmt::format("{} cannot be stored: it is {}", file.string(), what),
              "not_a_plain_file");
}

}  // namespace

Result<Descriptor> open_staged(const Descriptor& folder, const std::string& name,
                               const std::filesystem::path& shown) {
  const int raw = ::openat(folder.get(), name.c_str(), O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (raw < 0) {
    if (errno == ELOOP) return not_plain(shown, "a symbolic link");
    if (errno == ENXIO) return not_plain(shown, "a socket or device");
    if (errno == ENOENT)
      return fail(Errc::not_found, fmt::format("there is no staged file {}", shown.string()));
    return io_failure("open", shown, errno);
  }
  Descriptor file(raw);
  struct stat info{};
  if (::fstat(raw, &info) != 0) return io_failure("examine", shown, errno);
  if (!S_ISREG(info.st_mode)) return not_plain(shown, "not a regular file");
  if (info.st_nlink != 1) return not_plain(shown, "also reachable under another name");
  return file;
}

Result<PublishedFile> hash_file(const Descriptor& file, const std::filesystem::path& shown) {
  PublishedFile out;
  Sha256 digest;
  std::vector<char> block(kBlock);
  while (true) {
    const ssize_t size = ::read(file.get(), block.data(), block.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return io_failure("read", shown, errno);
    if (size == 0) break;
    digest.update(std::span(block.data(), static_cast<std::size_t>(size)));
    out.size += size;
  }
  out.sha256 = digest.finish();
  return out;
}

Result<void> take_back(const Descriptor& file, const std::filesystem::path& shown) {
  struct stat info{};
  if (::fstat(file.get(), &info) != 0) return io_failure("examine", shown, errno);
  if (info.st_uid == ::geteuid()) return {};
  if (::fchown(file.get(), ::geteuid(), ::getegid()) != 0) return io_failure("take back", shown, errno);
  return {};
}

std::optional<PublishedFile> known_digest(const Descriptor& file,
                                          const std::optional<media::FileDigest>& digest) {
  struct stat info{};
  if (!digest || ::fstat(file.get(), &info) != 0 || stamp_of(info) != digest->stamp) return std::nullopt;
  return PublishedFile{.size = info.st_size, .sha256 = digest->sha256};
}

}  // namespace trawl::storage::detail
