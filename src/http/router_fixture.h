#pragma once

#include <string>
#include <utility>

#include "http/router.h"

namespace trawl::http {

// For tests: a route that is open to everybody.
inline Endpoint open_route(std::string method, std::string path) {
  return {.method = std::move(method),
          .path = std::move(path),
          .scope = AccessScope("public"),
          .summary = "A test."};
}

}  // namespace trawl::http
