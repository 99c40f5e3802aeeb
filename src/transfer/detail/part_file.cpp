#include "transfer/detail/part_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/failpoint.h"

namespace trawl::transfer::detail {

std::unexpected<Error> io_failure(std::string_view what, const std::filesystem::path& path, int error) {
  const auto text = fmt::format("cannot {} {}: {}", what, path.filename().string(), std::strerror(error));
  if (error == ENOSPC || error == EDQUOT) return fail(Errc::no_space, text);
  return fail(Errc::unavailable, text, "io_error");
}

namespace {

// Whatever the cause: from now on nobody knows what is on disk.
std::unexpected<Error> sync_failure(const std::filesystem::path& path, int error) {
  auto out = io_failure("sync", path, error);
  out.error().reason = "io_error";
  return out;
}

}  // namespace

PartFile::PartFile(const std::filesystem::path& folder, const std::string& name)
    : folder_(folder),
      path_(folder / (name + ".trawl")),
      target_(folder / name),
      journal_(folder / (name + ".journal")) {}

PartFile::~PartFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Result<void> PartFile::open() {
  descriptor_ = ::open(path_.c_str(), O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0644);
  if (descriptor_ < 0) return io_failure("open", path_, errno);
  struct stat info{};
  if (::fstat(descriptor_, &info) != 0) return io_failure("examine", path_, errno);
  if (!S_ISREG(info.st_mode)) return fail(Errc::internal, "the part file is not a regular file", "io_error");
  return {};
}

Result<std::int64_t> PartFile::size() const {
  struct stat info{};
  if (::fstat(descriptor_, &info) != 0) return io_failure("examine", path_, errno);
  return info.st_size;
}

Result<FileStamp> PartFile::stamp() const {
  struct stat info{};
  if (::fstat(descriptor_, &info) != 0) return io_failure("examine", path_, errno);
  return stamp_of(info);
}

Result<void> PartFile::resize(std::int64_t size) {
  if (::ftruncate(descriptor_, size) != 0) return io_failure("resize", path_, errno);
  return {};
}

// Not posix_fallocate: where the file system has no such call it writes every block instead.
Result<void> PartFile::reserve(std::int64_t size) {
  while (size > 0 && ::fallocate(descriptor_, 0, 0, size) != 0) {
    if (errno == EINTR) continue;
    if (errno == EOPNOTSUPP || errno == ENOSYS || errno == EINVAL) return {};
    return io_failure("reserve space for", path_, errno);
  }
  return {};
}

Result<void> PartFile::write(std::int64_t offset, std::span<const char> bytes) {
  while (!bytes.empty()) {
    const ssize_t size = ::pwrite(descriptor_, bytes.data(), bytes.size(), offset);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return io_failure("write", path_, errno);
    bytes = bytes.subspan(static_cast<std::size_t>(size));
    offset += size;
  }
  return {};
}

Result<void> PartFile::sync() {
  if (::fdatasync(descriptor_) != 0) return sync_failure(path_, errno);
  return {};
}

Result<void> PartFile::publish() {
  failpoint("part.before_sync");
  if (::fsync(descriptor_) != 0) return sync_failure(path_, errno);
  failpoint("part.before_rename");
  if (::rename(path_.c_str(), target_.c_str()) != 0) return io_failure("rename", path_, errno);
  failpoint("part.after_rename");
  ::unlink(journal_.c_str());
  failpoint("part.after_journal");
  const int folder = ::open(folder_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (folder < 0) return io_failure("open", folder_, errno);
  const int error = ::fsync(folder) == 0 ? 0 : errno;
  ::close(folder);
  if (error != 0) return io_failure("sync", folder_, error);
  return {};
}

void PartFile::discard() {
  ::unlink(path_.c_str());
  ::unlink(journal_.c_str());
}

}  // namespace trawl::transfer::detail
