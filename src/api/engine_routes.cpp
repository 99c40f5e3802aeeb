#include "api/engine_routes.h"

#include "access/scopes.h"
#include "api/health_views.h"

namespace trawl::api {

void EngineRoutes::add_to(http::Router& router) {
  router.add({.method = "GET",
              .path = "/api/v1/admin/engine",
              .scope = access::kSystemRead,
              .summary = "The engine: its versions and which browsers it can look like.",
              .contract = shows<EngineView>()},
             [this](http::Request request) { return show(std::move(request)); });
}

Task<http::Response> EngineRoutes::show(http::Request) {
  const engine::Versions versions = engine_.versions();
  co_return http::json_response(200, encode(EngineView{.healthy = engine_.healthy(),
                                                       .ytdlp_version = versions.ytdlp,
                                                       .python_version = versions.python,
                                                       .ffmpeg_version = versions.ffmpeg,
                                                       .impersonate_targets = versions.impersonate}));
}

}  // namespace trawl::api
