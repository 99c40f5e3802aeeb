#include "downloads/cookie_file.h"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include <fmt/format.h>

namespace trawl::downloads {

CookieFile::~CookieFile() {
  std::error_code ignored;
  std::filesystem::remove(path(work_dir_), ignored);
}

Result<void> CookieFile::write(const std::filesystem::path& file, const std::string& text) {
  std::error_code ignored;
  std::filesystem::remove(file, ignored);
  const int descriptor = ::open(file.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  const bool written =
      descriptor >= 0 && ::write(descriptor, text.data(), text.size()) == static_cast<ssize_t>(text.size());
  const int cause = errno;
  if (descriptor >= 0) ::close(descriptor);
  if (written) return {};
  return fail(
      cause == ENOSPC ? Errc::no_space : Errc::internal,
      fmt::format("cannot write cookies for the download: {}", std::generic_category().message(cause)));
}

Result<std::string> CookieFile::read(const std::filesystem::path& file) {
  std::ifstream in(file, std::ios::binary);
  if (!in)
    return fail(Errc::invalid, fmt::format("cannot read the cookies file {}", file.string()),
                "bad_cookies_file");
  return std::string(std::istreambuf_iterator<char>(in), {});
}

void remove_cookies(json::value& info) {
  if (auto* object = info.if_object()) {
    object->erase("cookies");
    object->erase("Cookie");  // Of http_headers.
    for (auto& [key, value] : *object) remove_cookies(value);
  } else if (auto* array = info.if_array()) {
    for (json::value& value : *array) remove_cookies(value);
  }
}

}  // namespace trawl::downloads
