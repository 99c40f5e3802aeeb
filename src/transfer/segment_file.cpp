#include "transfer/segment_file.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"

namespace trawl::transfer {
namespace {

constexpr std::size_t kMaxJournal = 4096;
constexpr mode_t kMode = 0644;  // Others do not get into the folder, except a child as its owner.

std::unexpected<Error> io_failure(std::string_view what, const std::filesystem::path& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return fail(full ? Errc::no_space : Errc::unavailable,
              fmt::format("cannot {} {}: {}", what, path.string(), std::strerror(error)),
              full ? "" : "io_error");
}

Result<void> write_all(int file, std::int64_t offset, std::string_view bytes,
                       const std::filesystem::path& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::pwrite(file, bytes.data(), bytes.size(), offset);
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return io_failure("write to", path, errno);
    bytes.remove_prefix(static_cast<std::size_t>(written));
    offset += written;
  }
  return {};
}

// Empty when there is none, or none that can be read: then the part starts over.
std::string read_journal(const std::filesystem::path& path) {
  const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
  if (file < 0) return {};
  std::string text(kMaxJournal, '\0');
  const ssize_t size = ::pread(file, text.data(), text.size(), 0);
  ::close(file);
  text.resize(size > 0 ? static_cast<std::size_t>(size) : 0);
  return text;
}

Result<void> replace_file(const std::filesystem::path& path, std::string_view text) {
  std::filesystem::path next = path;
  next += ".new";
  const int file = ::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (file < 0) return io_failure("create", next, errno);
  auto done = write_all(file, 0, text, next);
  if (done && ::fdatasync(file) != 0) done = io_failure("sync", next, errno);
  ::close(file);
  if (!done) return done;
  if (::rename(next.c_str(), path.c_str()) != 0) return io_failure("replace", path, errno);
  return {};
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) return io_failure("open", folder, errno);
  const int failed = ::fsync(file) != 0 ? errno : 0;
  ::close(file);
  if (failed) return io_failure("sync", folder, failed);
  return {};
}

}  // namespace

SegmentFile::SegmentFile(std::filesystem::path folder, const std::string& name)
    : folder_(std::move(folder)),
      final_(folder_ / name),
      part_(folder_ / (name + ".trawl")),
      journal_(folder_ / (name + ".journal")) {}

SegmentFile::~SegmentFile() {
  if (file_ >= 0) ::close(file_);
}

Result<std::unique_ptr<SegmentFile>> SegmentFile::open(const std::filesystem::path& folder,
                                                       const media::Part& part) {
  std::unique_ptr<SegmentFile> out(new SegmentFile(folder, part.name));
  if (auto done = out->open_at(part); !done) return fail(done.error());
  return out;
}

Result<void> SegmentFile::open_at(const media::Part& part) {
  file_ = ::open(part_.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, kMode);
  if (file_ < 0) return io_failure("open", part_, errno);
  struct stat status{};
  if (::fstat(file_, &status) != 0) return io_failure("read", part_, errno);
  start_ = plan_segment_resume(part, read_journal(journal_), status.st_size);
  if (::ftruncate(file_, start_.offset) != 0) return io_failure("cut", part_, errno);
  return {};
}

Result<void> SegmentFile::write(std::int64_t offset, std::string_view bytes) {
  return write_all(file_, offset, bytes, part_);
}

Result<void> SegmentFile::sync() {
  if (::fdatasync(file_) == 0) return {};
  const int error = errno;
  discard();
  return io_failure("sync", part_, error);
}

Result<PrefixHash> SegmentFile::hash(PrefixHash so_far, std::int64_t until) const {
  if (auto read = so_far.advance(file_, until); !read) return fail(read.error());
  return so_far;
}

Result<void> SegmentFile::checkpoint(std::int64_t next, std::int64_t offset, const PrefixHash& hash) {
  if (auto done = sync(); !done) return done;
  SegmentJournal journal = start_;
  journal.next = next;
  journal.offset = offset;
  journal.hashed = hash.bytes();
  journal.sha256_state = hash.bytes() > 0 ? hash.state() : "";
  return replace_file(journal_, to_text(journal));
}

Result<FileStamp> SegmentFile::publish(std::int64_t size) {
  if (::ftruncate(file_, size) != 0) return io_failure("cut", part_, errno);
  if (auto done = sync(); !done) return fail(done.error());
  if (::rename(part_.c_str(), final_.c_str()) != 0) return io_failure("rename", part_, errno);
  if (auto done = sync_folder(folder_); !done) return fail(done.error());
  ::unlink(journal_.c_str());
  struct stat status{};
  if (::fstat(file_, &status) != 0) return io_failure("read", final_, errno);
  return stamp_of(status);
}

void SegmentFile::discard() {
  for (const auto& path : {journal_, part_}) {
    if (::unlink(path.c_str()) != 0 && errno != ENOENT) {
      log_error("cannot remove a file that was not synced",
                {{"path", path.string()}, {"error", std::strerror(errno)}});
    }
  }
}

}  // namespace trawl::transfer
