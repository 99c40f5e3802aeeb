#pragma once

#include "downloads/lister.h"
#include "http/router.h"

namespace trawl::api {

// What is in a playlist or channel, before anything is downloaded.
class PreviewRoutes {
 public:
  explicit PreviewRoutes(downloads::Lister& lister) : lister_(lister) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> playlist(http::Request request);
  Task<http::Response> channel(http::Request request);

  downloads::Lister& lister_;
};

}  // namespace trawl::api
