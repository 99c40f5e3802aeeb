#pragma once

#include <string>

#include "http/router.h"

namespace trawl::api {

// Lets requests through that carry the configured API key, as `X-API-Key`, `Authorization: Bearer`
// or, on WebSocket upgrades only, the query parameter `api_key` or `key`. Health, readiness and
// version are public. Without a configured key everything is let through.
class KeyGuard {
 public:
  explicit KeyGuard(std::string key) : key_(std::move(key)) {}

  // 401 with WWW-Authenticate, or nothing when the request may pass.
  [[nodiscard]] std::optional<http::Response> refuse(const http::Request& request, bool upgrade) const;

 private:
  std::string key_;
};

}  // namespace trawl::api
