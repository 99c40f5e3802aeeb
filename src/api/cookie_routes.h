#pragma once

#include <functional>
#include <string>
#include <vector>

#include "access/cookie_store.h"
#include "http/router.h"

namespace trawl::api {

// Cookies that people store for their downloads.
class CookieRoutes {
 public:
  // Takes the cookies of a browser on this machine.
  using Extract = std::function<Task<Result<std::vector<access::BrowserCookie>>>(std::string browser,
                                                                                 std::string profile)>;
  struct Options {
    std::vector<std::string> browsers;  // That may be read.
    std::chrono::hours warning{168};    // So long before their end cookies "expire soon".
    std::chrono::hours rotation{720};   // So old they are "due" to be stored anew; 0: never.
    Extract extract;
  };
  CookieRoutes(access::CookieStore& cookies, const Clock& clock, Options options)
      : cookies_(cookies), clock_(clock), options_(std::move(options)) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> create(http::Request request);
  Task<http::Response> list(http::Request request);
  Task<http::Response> show(http::Request request);
  Task<http::Response> remove(http::Request request);

  access::CookieStore& cookies_;
  const Clock& clock_;
  Options options_;
};

}  // namespace trawl::api
