#include "api/page_routes.h"

#include "access/scopes.h"
#include "api/health_views.h"
#include "http/accept.h"

namespace trawl::api {
namespace {

// Nothing from elsewhere, no script or style written into a page, and in nobody's frame.
constexpr std::string_view kPolicy =
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "media-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

http::Response response_of(const PageFile& file) {
  http::Response response{.status = 200, .headers = {}, .body = file.bytes};
  response.headers.set("Content-Type", file.media);
  response.headers.set("Content-Security-Policy", std::string(kPolicy));
  response.headers.set("Cache-Control", "public, max-age=300");
  return response;
}

http::Contract root_contract(bool page) {
  auto answers = http::Answers::json<AboutView>();
  if (page)
    answers = std::move(answers).or_bytes(200, "text/html", "The page, for who asks for `text/html`.");
  return {.body = http::Body::none(),
          .query = http::Query::none(),
          .answers = std::move(answers),
          .refusals = http::Refusals::none()};
}

}  // namespace

void PageRoutes::add_to(http::Router& router) {
  router.add({.method = "GET",
              .path = "/",
              .scope = access::kPublic,
              .summary = "What this is, and where to look on; for browsers a page to work with.",
              .contract = root_contract(!files_.empty())},
             [this](http::Request request) -> Task<http::Response> { co_return root(request); });
  if (files_.empty()) return;
  router.add({.method = "GET",
              .path = "/ui/{path...}",
              .scope = access::kPublic,
              .summary = "Scripts, styles and pictures of the page.",
              .contract = {.body = http::Body::none(),
                           .query = http::Query::none(),
                           .answers = http::Answers::bytes(200, "*/*", "The file."),
                           .refusals = http::Refusals::of({{404, "not_found"}})}},
             [this](http::Request request) -> Task<http::Response> { co_return file(request); });
}

http::Response PageRoutes::root(const http::Request& request) const {
  const bool page =
      !files_.empty() && http::asks_for(request.headers.find("Accept").value_or(""), "text/html");
  http::Response response =
      page ? response_of(files_.find(kFirstPage)->second)
           : http::json_response(200, encode(AboutView{.name = "trawl",
                                                       .version = facts_.version,
                                                       .api = "/api/v1",
                                                       .docs = facts_.docs ? "/api/docs" : "",
                                                       .description = facts_.docs ? "/api/openapi.json" : "",
                                                       .health = "/api/v1/health"}));
  response.headers.append("Vary", "Accept");
  return response;
}

http::Response PageRoutes::file(const http::Request& request) const {
  const auto found = files_.find(request.path_param("path"));
  if (found == files_.end()) return http::error_response(request, 404, "not_found", "there is no such file");
  return response_of(found->second);
}

}  // namespace trawl::api
