#include "api/file_routes.h"

#include <fmt/format.h>

#include "access/key_text.h"
#include "access/scopes.h"
#include "api/body.h"
#include "api/link_views.h"
#include "api/ownership.h"
#include "api/queries.h"
#include "api/stored_stream.h"
#include "api/stored_views.h"
#include "base/log.h"
#include "http/static_file.h"

namespace trawl::api {
namespace {

http::Contract making_link() {
  return {.body = http::Body::json<NewLinkBody>(),
          .query = http::Query::none(),
          .answers = http::Answers::json<LinkView>(201),
          .refusals = http::Refusals::of({{404, "not_found"}})};
}

}  // namespace

void FileRoutes::add_to(http::Router& router) {
  for (const char* pattern : {"/files/{path...}", "/api/v1/files/{path...}"}) {
    router.add({.method = "GET",
                .path = pattern,
                .scope = access::kFilesRead,
                .summary = "Fetch a stored file, by key or by a signed link.",
                .contract = serving<LinkQuery>(),
                .signed_link = true},
               [this](http::Request request) { return serve(std::move(request)); });
  }
  add_stored(router);
  router.add({.method = "POST",
              .path = "/api/v1/links",
              .scope = access::kFilesWrite,
              .summary = "Make a link to a file that works without a key for a while.",
              .contract = making_link()},
             [this](http::Request request) { return make_link(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/links",
              .scope = access::kFilesWrite,
              .summary = "List the links that are in force.",
              .contract = shows<LinkListView>()},
             [this](http::Request request) { return list_links(std::move(request)); });
  router.add({.method = "DELETE",
              .path = "/api/v1/links/{id}",
              .scope = access::kFilesWrite,
              .summary = "Take a link back.",
              .contract = shows_one<DeletedView>()},
             [this](http::Request request) { return revoke_link(std::move(request)); });
}

Task<Result<storage::Artifact>> FileRoutes::visible(const http::Request& request, std::string path) {
  auto artifact = co_await storage_.by_path(path);
  if (!artifact || request.caller.sees_all) co_return artifact;
  const auto owner = co_await storage_.owner_of(*artifact);
  if (!owner) co_return fail(owner.error());
  if (!request.caller.sees(*owner))
    co_return fail(Errc::not_found, fmt::format("there is no file '{}'", to_valid_utf8(path)));
  co_return artifact;
}

Task<Result<void>> FileRoutes::check_link(const http::Request& request, const storage::Artifact& artifact) {
  const auto link = access_.signer.check([&](std::string_view name) { return request.query_param(name); },
                                         artifact.id, request.method, clock_.now());
  if (!link) co_return fail(link.error());
  if (auto known = co_await access_.links.check(link->id); !known) co_return known;
  if (link->key.empty() || link->key == access_.configured_key) co_return Result<void>();
  const auto key = co_await access_.keys.usable(link->key);
  if (!key && key.error().code == Errc::unauthorized)
    co_return fail(Errc::forbidden, "the key that made the link is of no use any more", "link_revoked");
  if (!key) co_return fail(key.error());
  co_return Result<void>();
}

// The path is only ever looked up among artifacts, never opened, so no spelling of it can leave the
// storage.
Task<http::Response> FileRoutes::serve(http::Request request) {
  const std::string path = request.path_param("path");
  const bool by_link = request.caller.key.empty() && request.query_param("signature");
  auto artifact = by_link ? co_await storage_.by_path(path) : co_await visible(request, path);
  // Who comes with a link learns nothing about files it does not open, not even whether they exist.
  if (by_link && !artifact && artifact.error().code == Errc::not_found)
    co_return http::error_response(request, 403, "link_invalid", "the link is not valid");
  if (!artifact) co_return http::error_response(request, artifact.error());
  if (by_link) {
    if (const auto opened = co_await check_link(request, *artifact); !opened)
      co_return http::error_response(request, opened.error());
  }
  const auto file = storage_.file_of(*artifact);
  const http::FileFacts facts{.path = file.value_or(std::filesystem::path()),
                              .size = static_cast<std::uint64_t>(artifact->size),
                              .etag = artifact->sha256,
                              .modified = artifact->created_at,
                              .mime_type = artifact->mime_type,
                              .download_name = artifact->path.substr(artifact->path.rfind('/') + 1),
                              .inline_view = request.query_param("inline") == "1"};
  http::Response response = http::serve_file(request, facts);
  // What was downloaded is foreign: shown inline it must not run scripts with our origin.
  response.headers.set("Content-Security-Policy",
                       "sandbox; default-src 'none'; media-src 'self'; style-src 'unsafe-inline'");
  response.headers.set("Cache-Control", "private");
  if (!file) co_return co_await from_elsewhere(request, std::move(*artifact), std::move(response));
  co_return response;
}

// The same answer for a file that is not on this machine: by an address that gives it out, or passed on.
Task<http::Response> FileRoutes::from_elsewhere(const http::Request& request, storage::Artifact artifact,
                                                http::Response response) {
  const auto* part = std::get_if<http::FileBody>(&response.body);
  if (!part || request.method == "HEAD") co_return response;
  const auto disposition = response.headers.find("Content-Disposition").value_or("");
  const auto address = co_await storage_.address_of(artifact, std::string(disposition));
  if (!address) co_return http::error_response(request, address.error());
  if (*address) {
    http::Response redirect{.status = 302, .headers = {}, .body = {}};
    redirect.headers.set("Location", **address);
    redirect.headers.set("Cache-Control", "no-store");
    co_return redirect;
  }
  auto stream = co_await StoredStream::open(storage_, std::move(artifact), part->offset, part->length);
  if (!stream) co_return http::error_response(request, stream.error());
  response.body = std::move(*stream);
  co_return response;
}

Task<http::Response> FileRoutes::make_link(http::Request request) {
  const auto body = read_body<NewLinkBody>(request, {});
  if (!body) co_return std::move(body.error());
  const auto artifact = co_await visible(request, body->path);
  if (!artifact) co_return http::error_response(request, artifact.error());
  const access::FileLink link{.id = access::random_base62(16),
                              .artifact = artifact->id,
                              .key = request.caller.key,
                              .method = "GET",
                              .expires_at = clock_.now() + std::chrono::seconds(body->expires_in)};
  if (const auto added = co_await access_.links.add(link, request.caller.owner); !added)
    co_return http::error_response(request, added.error());
  log_info("a file link was made", {{"link", link.id}, {"by", link.key}, {"request_id", request.id}});
  co_return http::json_response(201, encode(LinkView{.id = link.id,
                                                     .path = artifact->path,
                                                     .artifact_id = link.artifact.str(),
                                                     .url = fmt::format("{}/files/{}?{}", context_.public_url,
                                                                        percent_encode(artifact->path, "/"),
                                                                        access_.signer.query(link)),
                                                     .method = link.method,
                                                     .expires_at = link.expires_at}));
}

Task<http::Response> FileRoutes::list_links(http::Request request) {
  const auto links = co_await access_.links.list(visible_owner(request.caller));
  if (!links) co_return http::error_response(request, links.error());
  LinkListView view;
  for (const access::FileLink& link : *links) {
    view.links.push_back({.id = link.id,
                          .artifact_id = link.artifact.str(),
                          .method = link.method,
                          .expires_at = link.expires_at});
  }
  view.total = static_cast<std::int64_t>(view.links.size());
  co_return http::json_response(200, encode(view));
}

Task<http::Response> FileRoutes::revoke_link(http::Request request) {
  const std::string id = request.path_param("id");
  const auto revoked = co_await access_.links.revoke(id, visible_owner(request.caller));
  if (!revoked) co_return http::error_response(request, revoked.error());
  log_info("a file link was taken back",
           {{"link", id}, {"by", request.caller.key}, {"request_id", request.id}});
  co_return http::json_response(
      200, encode(DeletedView{id, "link", "deleted", "the link is taken back", clock_.now()}));
}

}  // namespace trawl::api
