#pragma once

#include "access/key_store.h"
#include "http/router.h"

namespace trawl::api {

// API keys: made, shown, changed, rotated and revoked by administrators. Nobody hands out, or takes away,
// more than they have themselves.
class KeyRoutes {
 public:
  KeyRoutes(access::KeyStore& keys, const Clock& clock) : keys_(keys), clock_(clock) {}

  void add_to(http::Router& router);

 private:
  Task<http::Response> create(http::Request request);
  Task<http::Response> list(http::Request request);
  Task<http::Response> show(http::Request request);
  Task<http::Response> change(http::Request request);
  Task<http::Response> rotate(http::Request request);
  Task<http::Response> revoke(http::Request request);

  // The key the path names, if the caller may handle it; otherwise the answer.
  Task<std::expected<access::Key, http::Response>> handled(const http::Request& request);

  access::KeyStore& keys_;
  const Clock& clock_;
};

}  // namespace trawl::api
