#pragma once

#include "api/openapi.h"

namespace trawl::api {

// The description of the API: GET /api/openapi.json, /openapi.json.
class OpenApiRoutes {
 public:
  explicit OpenApiRoutes(ApiInfo info) : info_(std::move(info)) {}

  // Describes all routes of `router`, which must be complete by the first request.
  void add_to(http::Router& router);

 private:
  [[nodiscard]] const std::string& document(const http::Router& router);

  ApiInfo info_;
  std::string document_;  // Written once.
};

}  // namespace trawl::api
