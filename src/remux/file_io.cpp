#include "remux/file_io.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fmt/format.h>

namespace trawl::remux {
namespace {

constexpr int kBufferSize = 256 << 10;

int descriptor(void* opaque) {
  return static_cast<int>(reinterpret_cast<std::intptr_t>(opaque));
}

int read_some(void* opaque, std::uint8_t* buffer, int size) {
  ssize_t got = 0;
  do {
    got = ::read(descriptor(opaque), buffer, static_cast<std::size_t>(size));
  } while (got < 0 && errno == EINTR);
  if (got < 0) return AVERROR(errno);
  return got == 0 ? AVERROR_EOF : static_cast<int>(got);
}

int write_all(void* opaque, std::uint8_t* buffer, int size) {
  for (int done = 0; done < size;) {
    const auto put = ::write(descriptor(opaque), buffer + done, static_cast<std::size_t>(size - done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return AVERROR(errno);
    done += static_cast<int>(put);
  }
  return size;
}

std::int64_t seek(void* opaque, std::int64_t offset, int whence) {
  if (whence == AVSEEK_SIZE) {
    struct stat status{};
    return ::fstat(descriptor(opaque), &status) == 0 ? status.st_size : AVERROR(errno);
  }
  const auto place = ::lseek(descriptor(opaque), offset, whence & ~AVSEEK_FORCE);
  return place < 0 ? AVERROR(errno) : place;
}

Result<FileIo> wrap(int fd, bool writable) {
  auto* buffer = static_cast<unsigned char*>(av_malloc(kBufferSize));
  auto* io = buffer ? avio_alloc_context(buffer, kBufferSize, writable ? 1 : 0,
                                         reinterpret_cast<void*>(static_cast<std::intptr_t>(fd)),
                                         writable ? nullptr : read_some, writable ? write_all : nullptr, seek)
                    : nullptr;
  if (!io) {
    av_free(buffer);
    ::close(fd);
    return fail(Errc::internal, "out of memory");
  }
  return FileIo(io);
}

}  // namespace

void FileIoCloser::operator()(AVIOContext* io) const {
  if (io->write_flag) avio_flush(io);
  ::close(descriptor(io->opaque));
  av_freep(&io->buffer);
  avio_context_free(&io);
}

Result<FileIo> open_for_reading(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return fail(Errc::unsupported, fmt::format("cannot open {}: {}", path, std::strerror(errno)));
  struct stat status{};
  if (::fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(fd);
    return fail(Errc::unsupported, fmt::format("{} is not a plain file", path));
  }
  ::posix_fadvise(fd, 0, 0, POSIX_FADV_SEQUENTIAL);
  return wrap(fd, false);
}

Result<FileIo> open_for_writing(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0666);
  if (fd < 0) {
    const int error = errno;
    return fail(error == ENOSPC ? Errc::no_space : Errc::internal,
                fmt::format("cannot make {}: {}", path, std::strerror(error)));
  }
  return wrap(fd, true);
}

}  // namespace trawl::remux
