#include "downloads/cookie_file.h"

#include <cerrno>
#include <fcntl.h>
#include <fstream>
#include <iterator>
#include <unistd.h>

#include <fmt/format.h>

#include "base/text.h"
#include "net/admission.h"

namespace trawl::downloads {
namespace {

// YouTube's short addresses have no cookies of their own.
std::string cookie_host(std::string_view url) {
  std::string host = net::site_of(url);
  return host == "youtu.be" ? "youtube.com" : host;
}

// Empty when the line holds no cookie.
std::string domain_of(std::string_view line) {
  constexpr std::string_view kHttpOnly = "#HttpOnly_";
  if (line.starts_with(kHttpOnly))
    line.remove_prefix(kHttpOnly.size());
  else if (line.starts_with('#'))
    return {};
  const auto tab = line.find('\t');
  if (tab == line.npos) return {};
  line = line.substr(0, tab);
  while (line.starts_with('.')) line.remove_prefix(1);
  return to_lower(line);
}

// Whether `name` is `above` or below it. A name of one label is above nothing: ".com" is no site.
bool within(std::string_view name, std::string_view above) {
  if (name == above) return true;
  return above.contains('.') && name.size() > above.size() && name.ends_with(above) &&
         name[name.size() - above.size() - 1] == '.';
}

bool same_site(std::string_view host, std::string_view domain) {
  return !domain.empty() && (within(host, domain) || within(domain, host));
}

}  // namespace

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

Result<void> CookieFile::provide(const std::filesystem::path& source, const std::filesystem::path& target,
                                 std::string_view url) {
  std::ifstream in(source, std::ios::binary);
  if (!in)
    return fail(Errc::invalid, fmt::format("cannot read the cookies file {}", source.string()),
                "bad_cookies_file");
  const std::string all(std::istreambuf_iterator<char>(in), {});
  return write(target, cookies_for(all, url));
}

std::string cookies_for(std::string_view netscape, std::string_view url) {
  std::string out = "# Netscape HTTP Cookie File\n";
  const std::string host = cookie_host(url);
  for (std::string_view line : split(netscape, '\n')) {
    if (line.ends_with('\r')) line.remove_suffix(1);
    if (!host.empty() && same_site(host, domain_of(line))) out.append(line).push_back('\n');
  }
  return out;
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
