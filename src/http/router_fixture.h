#pragma once

#include <string>
#include <utility>

#include "http/router.h"

namespace trawl::http {

// For tests: takes nothing and gives nothing.
inline Contract no_contract() {
  return {.body = Body::none(),
          .query = Query::none(),
          .answers = Answers::empty(200, "A test."),
          .refusals = Refusals::none()};
}

// For tests: a route that is open to everybody.
inline Endpoint open_route(std::string method, std::string path) {
  return {.method = std::move(method),
          .path = std::move(path),
          .scope = AccessScope("public"),
          .summary = "A test.",
          .contract = no_contract()};
}

}  // namespace trawl::http
