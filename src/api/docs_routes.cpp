#include "api/docs_routes.h"

#include "access/scopes.h"
#include "api/docs_assets.h"
#include "http/accept.h"

namespace trawl::api {
namespace {

constexpr std::string_view kSwagger = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Trawl API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,">
<link rel="stylesheet" href="/api/docs/assets/swagger-ui.css"></head>
<body><div id="docs"></div>
<script src="/api/docs/assets/swagger-ui-bundle.js"></script>
<script src="/api/docs/assets/swagger-start.js"></script></body></html>
)";
constexpr std::string_view kRedoc = R"(<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Trawl API</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"></head>
<body><div id="docs"></div>
<script src="/api/docs/assets/redoc.standalone.js"></script>
<script src="/api/docs/assets/redoc-start.js"></script></body></html>
)";

// Scripts of this origin only, none written into the page; both pages set styles from their scripts.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

http::Response page(std::string_view text) {
  http::Response response{.status = 200, .headers = {}, .body = std::string(text)};
  response.headers.set("Content-Type", "text/html; charset=utf-8");
  response.headers.set("Content-Security-Policy", std::string(kPolicy));
  return response;
}

http::Response file(const http::Request& request) {
  const auto asset = docs_asset(request.path_param("file"));
  if (!asset) return http::error_response(request, 404, "not_found", "there is no such file");
  const bool as_it_is =
      !asset->gzipped || http::accepts_gzip(request.headers.find("Accept-Encoding").value_or(""));
  http::Response response{
      .status = 200, .headers = {}, .body = as_it_is ? std::string(asset->bytes) : unpacked(asset->bytes)};
  if (asset->gzipped && as_it_is) response.headers.set("Content-Encoding", "gzip");
  response.headers.set("Content-Type", std::string(asset->media));
  response.headers.set("Cache-Control", "public, max-age=3600");
  response.headers.append("Vary", "Accept-Encoding");
  return response;
}

http::Contract giving(const char* media, const char* text, http::Refusals refusals) {
  return {.body = http::Body::none(),
          .query = http::Query::none(),
          .answers = http::Answers::bytes(200, media, text),
          .refusals = std::move(refusals)};
}

}  // namespace

void DocsRoutes::add_to(http::Router& router) {
  const auto add = [&](const char* path, const char* summary, std::string_view text) {
    router.add({.method = "GET",
                .path = path,
                .scope = access::kPublic,
                .summary = summary,
                .contract = giving("text/html", "A page.", http::Refusals::none())},
               [text](http::Request) -> Task<http::Response> { co_return page(text); });
  };
  for (const char* path : {"/api/docs", "/docs"}) add(path, "The API as a page to try it on.", kSwagger);
  for (const char* path : {"/api/redoc", "/redoc"}) add(path, "The API as a page to read.", kRedoc);
  router.add(
      {.method = "GET",
       .path = "/api/docs/assets/{file}",
       .scope = access::kPublic,
       .summary = "Scripts and styles of these pages.",
       .contract = giving("*/*", "A script or a style sheet.", http::Refusals::of({{404, "not_found"}}))},
      [](http::Request request) -> Task<http::Response> { co_return file(request); });
}

}  // namespace trawl::api
