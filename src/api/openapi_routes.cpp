#include "api/openapi_routes.h"

#include "access/scopes.h"

namespace trawl::api {

void OpenApiRoutes::add_to(http::Router& router) {
  for (const char* path : {"/api/openapi.json", "/openapi.json"}) {
    router.add({.method = "GET",
                .path = path,
                .scope = access::kPublic,
                .summary = "This description.",
                .contract = {.body = http::Body::none(),
                             .query = http::Query::none(),
                             .answers = http::Answers::bytes(200, "application/json", "OpenAPI 3.1."),
                             .refusals = http::Refusals::none()}},
               [this, &router](http::Request) -> Task<http::Response> {
                 http::Response response{.status = 200, .headers = {}, .body = document(router)};
                 response.headers.set("Content-Type", "application/json");
                 co_return response;
               });
  }
}

const std::string& OpenApiRoutes::document(const http::Router& router) {
  if (document_.empty()) document_ = json::serialize(openapi(router.endpoints(), info_));
  return document_;
}

}  // namespace trawl::api
