#include "storage/detail/folder.h"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <sys/stat.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::storage::detail {

Descriptor::~Descriptor() {
  if (value_ >= 0) ::close(value_);
}

std::unexpected<Error> io_failure(std::string_view what, const std::filesystem::path& path, int error) {
  const bool full = error == ENOSPC || error == EDQUOT;
  return fail(full ? Errc::no_space : Errc::unavailable,
              fmt::format("cannot {} {}: {}", what, to_valid_utf8(path.native()), std::strerror(error)));
}

Result<Descriptor> open_folder(const std::filesystem::path& folder) {
  const int descriptor = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (descriptor < 0) return io_failure("open the folder", folder, errno);
  return Descriptor(descriptor);
}

Result<void> make_folder(const std::filesystem::path& folder, mode_t mode) {
  if (::mkdir(folder.c_str(), mode) == 0) return {};
  const int error = errno;
  struct stat info{};
  if (error == EEXIST && ::lstat(folder.c_str(), &info) == 0 && S_ISDIR(info.st_mode)) return {};
  return io_failure("create the folder", folder, error);
}

Result<void> sync_folder(const std::filesystem::path& folder) {
  const auto opened = open_folder(folder);
  if (!opened) return fail(opened.error());
  if (::fsync(opened->get()) != 0) return io_failure("sync the folder", folder, errno);
  return {};
}

Result<std::vector<std::string>> list_folder(const std::filesystem::path& folder) {
  std::vector<std::string> names;
  std::error_code error;
  for (std::filesystem::directory_iterator it(folder, error), end; !error && it != end; it.increment(error)) {
    names.push_back(it->path().filename().native());
  }
  if (error && error != std::errc::no_such_file_or_directory)
    return io_failure("list", folder, error.value());
  return names;
}

}  // namespace trawl::storage::detail
