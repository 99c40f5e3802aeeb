#pragma once

#include <functional>
#include <string>

#include "access/key_store.h"
#include "http/router.h"

namespace trawl::api {

// The first API key, for whoever holds the bootstrap token; shut for ever once there was any key.
class BootstrapRoutes {
 public:
  // `token` may be empty: then only the status is told. `on_made` is called when the key exists.
  BootstrapRoutes(access::KeyStore& keys, const Clock& clock, std::string_view token,
                  std::function<void()> on_made);

  void add_to(http::Router& router);

 private:
  Task<http::Response> status(http::Request request);
  Task<http::Response> create(http::Request request);

  access::KeyStore& keys_;
  const Clock& clock_;
  std::string token_digest_;  // Empty: there is no token.
  std::function<void()> on_made_;
};

}  // namespace trawl::api
