#pragma once

#include "access/key_store.h"
#include "access/usage.h"
#include "downloads/downloads.h"
#include "http/router.h"

namespace trawl::api {

// What callers have used, and what administrators may know about that.
class UsageRoutes {
 public:
  UsageRoutes(access::Quotas& quotas, access::KeyStore& keys, db::Database& database, const Clock& clock)
      : quotas_(quotas), keys_(keys), database_(database), clock_(clock) {}

  // Lists the routes of `router` as well, which must be complete by the first request.
  void add_to(http::Router& router);

 private:
  Task<http::Response> own(http::Request request);
  Task<http::Response> of_key(http::Request request);
  Task<http::Response> stats(http::Request request);

  access::Quotas& quotas_;
  access::KeyStore& keys_;
  db::Database& database_;
  const Clock& clock_;
};

}  // namespace trawl::api
