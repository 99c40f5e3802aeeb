#pragma once

#include "api/views.h"
#include "downloads/downloads.h"
#include "http/router.h"

namespace trawl::api {

// What people ask of a download that there is: pause, resume, retry, and when its files are deleted;
// at the canonical paths and at those of the services Trawl follows.
class OrderRoutes {
 public:
  OrderRoutes(downloads::Downloads& downloads, const Clock& clock) : downloads_(downloads), clock_(clock) {}

  void add_to(http::Router& router);

 private:
  using Order = Task<Result<jobs::State>> (downloads::Downloads::*)(JobId);
  // `refused`: the status of an answer that the download's state does not allow it.
  void add(http::Router& router, const std::string& path, const std::string& verb, Order order, int refused);
  Task<http::Response> carry_out(http::Request request, std::string verb, Order order, int refused);
  Task<http::Response> set_retention(http::Request request, bool keep);

  downloads::Downloads& downloads_;
  const Clock& clock_;
};

}  // namespace trawl::api
