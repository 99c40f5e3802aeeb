#pragma once

#include "access/cookie_store.h"
#include "downloads/look_cache.h"
#include "downloads/medium.h"
#include "downloads/preview.h"

namespace trawl::downloads {

// Who looks, and with whose cookies.
struct Viewer {
  std::string owner;
  std::optional<std::string> cookies_id = {};
};

// What is at a URL, asked of the site once for all who may share the answer: with cookies of one's own
// nobody else does.
class Looks {
 public:
  Looks(asio::any_io_executor executor, Lister& lister, access::CookieStore& cookies,
        LookCache::Limits limits)
      : lister_(lister), cookies_(cookies), cache_(executor, limits) {}

  // Errors as of Lister::read(); Errc::unsupported ("unknown_cookies", "cookies_expired") for cookies that
  // are not the viewer's.
  [[nodiscard]] Task<Result<Preview>> preview(std::string url, Viewer viewer, Selection selection,
                                              std::int64_t offset, std::int64_t size);
  [[nodiscard]] Task<Result<Medium>> medium(std::string url, Viewer viewer);

 private:
  using Ask = std::function<Task<Result<std::string>>(Look)>;
  [[nodiscard]] Task<Result<json::value>> look(std::string what, std::string url, Viewer viewer, Ask ask);

  Lister& lister_;
  access::CookieStore& cookies_;
  LookCache cache_;
};

}  // namespace trawl::downloads
