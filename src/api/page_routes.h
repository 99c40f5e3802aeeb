#pragma once

#include <string>

#include "api/page_files.h"
#include "http/router.h"

namespace trawl::api {

// The root of the server: the web page for browsers, and for programs what this is and where to look on.
class PageRoutes {
 public:
  struct Facts {
    std::string version;
    bool docs = true;  // Whether the API describes itself.
  };

  // Without `files` there is no page.
  PageRoutes(PageFiles files, Facts facts) : files_(std::move(files)), facts_(std::move(facts)) {}

  void add_to(http::Router& router);

 private:
  [[nodiscard]] http::Response root(const http::Request& request) const;
  [[nodiscard]] http::Response file(const http::Request& request) const;

  PageFiles files_;
  Facts facts_;
};

}  // namespace trawl::api
