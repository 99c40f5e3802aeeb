#include "http/detail/file_reader.h"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

namespace trawl::http::detail {
namespace {

constexpr std::size_t kBlock = 256 << 10;

std::string reason(int error) {
  return std::generic_category().message(error);
}

Result<int> open_checked(const FileBody& body) {
  // Without O_NONBLOCK the open of a FIFO would hold a pool thread until somebody writes to it.
  const int file = ::open(body.path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) {
    const Errc code = errno == ENOENT || errno == ENOTDIR ? Errc::not_found : Errc::unavailable;
    return fail(code, fmt::format("cannot open {}: {}", body.path.string(), reason(errno)));
  }
  struct stat facts{};
  const int failed = ::fstat(file, &facts);
  const auto size = static_cast<std::uint64_t>(facts.st_size);
  if (failed == 0 && S_ISREG(facts.st_mode) && body.offset <= size && body.length <= size - body.offset) {
    (void)::posix_fadvise(file, static_cast<off_t>(body.offset), static_cast<off_t>(body.length),
                          POSIX_FADV_SEQUENTIAL);
    return file;
  }
  ::close(file);
  if (failed != 0) return fail(Errc::unavailable, fmt::format("cannot stat {}", body.path.string()));
  if (!S_ISREG(facts.st_mode))
    return fail(Errc::not_found, fmt::format("{} is not a regular file", body.path.string()));
  return fail(Errc::conflict, fmt::format("{} has only {} bytes", body.path.string(), size));
}

Result<std::size_t> read_fully(int file, char* out, std::size_t size, std::uint64_t offset) {
  std::size_t done = 0;
  while (done < size) {
    const ssize_t got = ::pread(file, out + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return fail(Errc::unavailable, "cannot read: " + reason(errno));
    if (got == 0) return fail(Errc::unavailable, "the file has become shorter while it was sent");
    done += static_cast<std::size_t>(got);
  }
  return done;
}

}  // namespace

FileReader::FileReader(BlockingPool& pool, int file, std::uint64_t offset, std::uint64_t length)
    : pool_(pool),
      file_(file),
      offset_(offset),
      remaining_(length),
      block_(std::make_unique_for_overwrite<char[]>(std::min<std::uint64_t>(kBlock, length))) {}

FileReader::~FileReader() {
  ::close(file_);
}

Task<Result<std::unique_ptr<FileReader>>> FileReader::open(BlockingPool& pool, FileBody body) {
  const auto file = co_await pool.run([&body] { return open_checked(body); });
  if (!file) co_return fail(file.error());
  co_return std::unique_ptr<FileReader>(new FileReader(pool, *file, body.offset, body.length));
}

Task<Result<std::span<const char>>> FileReader::next() {
  const std::size_t size = std::min<std::uint64_t>(kBlock, remaining_);
  if (size == 0) co_return std::span<const char>();
  const auto got =
      co_await pool_.run([this, size] { return read_fully(file_, block_.get(), size, offset_); });
  if (!got) co_return fail(got.error());
  offset_ += size;
  remaining_ -= size;
  co_return std::span<const char>(block_.get(), size);
}

}  // namespace trawl::http::detail
