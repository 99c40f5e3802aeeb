#pragma once

#include "api/views.h"
#include "downloads/downloads.h"
#include "http/router.h"

namespace trawl::api {

// Create, show, list, cancel and read the logs of downloads, at the canonical paths and at those of
// the services Trawl follows.
class DownloadRoutes {
 public:
  DownloadRoutes(downloads::Downloads& downloads, const Clock& clock, ViewContext context)
      : downloads_(downloads), clock_(clock), context_(std::move(context)) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> create(http::Request request, int status, bool canonical);
  Task<http::Response> show(http::Request request);
  Task<http::Response> list(http::Request request);
  Task<http::Response> cancel(http::Request request);
  Task<http::Response> logs(http::Request request);

  downloads::Downloads& downloads_;
  const Clock& clock_;
  ViewContext context_;
};

}  // namespace trawl::api
