#pragma once

#include <string>
#include <vector>

#include "http/router.h"

namespace trawl::api {

// What the description says of this server.
struct ApiInfo {
  std::string version;
  std::string public_url;                // Empty: paths are relative to the description's own address.
  std::string key_header = "X-API-Key";  // auth.header
};

// The OpenAPI 3.1 description of `endpoints`: every one of them, and nothing else. What the gate before the
// routes (api/key_guard.h) and the HTTP front may answer is added to each route's own refusals.
// A contract that cannot be described (two components of one name) is a bug: std::logic_error.
[[nodiscard]] json::object openapi(const std::vector<http::Endpoint>& endpoints, const ApiInfo& info);

// The path of a route as OpenAPI spells it, which knows no `{rest...}`.
[[nodiscard]] std::string openapi_path(std::string_view pattern);

}  // namespace trawl::api
