#pragma once

#include <filesystem>
#include <string>
#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace trawl::downloads {

// The file a child reads cookies from, in the work folder of its download, for the time of the child:
// removed when this goes.
class CookieFile {
 public:
  explicit CookieFile(std::filesystem::path work_dir) : work_dir_(std::move(work_dir)) {}
  ~CookieFile();
  CookieFile(const CookieFile&) = delete;
  CookieFile& operator=(const CookieFile&) = delete;

  [[nodiscard]] static std::filesystem::path path(const std::filesystem::path& work_dir) {
    return work_dir / "cookies.txt";
  }
  // Readable and writable by the server's user alone, whatever was there before.
  [[nodiscard]] static Result<void> write(const std::filesystem::path& file, const std::string& text);
  // Gives a download of `url` the operator's cookies, as far as they are of its site. Errc::invalid, reason
  // "bad_cookies_file".
  [[nodiscard]] static Result<void> provide(const std::filesystem::path& source,
                                            const std::filesystem::path& target, std::string_view url);

 private:
  std::filesystem::path work_dir_;
};

// Takes cookies out of an info dict that is about to be stored. Cookies are given to each child anew, so
// the stored Plan does not need them.
void remove_cookies(json::value& info);
// Of cookies in Netscape text those of the site of `url`: of its host, of a domain above it and of hosts
// below it. Whatever a page of another site leads to gets none of them.
[[nodiscard]] std::string cookies_for(std::string_view netscape, std::string_view url);

}  // namespace trawl::downloads
