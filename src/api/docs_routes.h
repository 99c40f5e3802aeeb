#pragma once

#include "http/router.h"

namespace trawl::api {

// The API for people: Swagger UI at /api/docs, ReDoc at /api/redoc, both of /api/openapi.json and of nothing
// that is not in this binary.
class DocsRoutes {
 public:
  void add_to(http::Router& router);
};

}  // namespace trawl::api
