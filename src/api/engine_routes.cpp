#include "api/engine_routes.h"

#include "access/scopes.h"
#include "api/health_views.h"
#include "downloads/extractor_outcomes.h"

namespace trawl::api {

void EngineRoutes::add_to(http::Router& router) {
  router.add({.method = "GET",
              .path = "/api/v1/admin/engine",
              .scope = access::kSystemRead,
              .summary = "The engine: its versions and which browsers it can look like.",
              .contract = shows<EngineView>()},
             [this](http::Request request) { return show(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/admin/extractors",
              .scope = access::kSystemRead,
              .summary = "How well each extractor works, by version of yt-dlp.",
              .contract = shows<ExtractorsView>()},
             [this](http::Request request) { return extractors(std::move(request)); });
}

Task<http::Response> EngineRoutes::extractors(http::Request request) {
  const auto records = co_await database_.read(
      [](db::Transaction& transaction) { return downloads::extractor_records(transaction); });
  if (!records) co_return http::error_response(request, records.error());
  co_return http::json_response(200, encode(ExtractorsView{*records}));
}

Task<http::Response> EngineRoutes::show(http::Request) {
  const engine::Versions versions = engine_.versions();
  co_return http::json_response(200, encode(EngineView{.healthy = engine_.healthy(),
                                                       .ytdlp_version = versions.ytdlp,
                                                       .python_version = versions.python,
                                                       .ffmpeg_version = versions.ffmpeg,
                                                       .impersonate_targets = versions.impersonate,
                                                       .js_runtimes = versions.js_runtimes,
                                                       .pot_providers = versions.pot_providers}));
}

}  // namespace trawl::api
