#include "api/preview_routes.h"

#include "access/scopes.h"
#include "api/preview_views.h"
#include "api/queries.h"
#include "base/text.h"
#include "media/options.h"

namespace trawl::api {
namespace {

struct Asked {
  std::string url;
  downloads::Selection selection;
  PageRequest paging;
};

// The query parameters that belong to T, as the JSON that decode() reads.
template <class T>
json::object query_object(const http::Request& request) {
  json::object out;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    const FieldRule rule = rule_of<T>(member.name);
    if (auto value = request.query_param(rule.name)) out[rule.name] = *value;
    if (rule.alias.empty()) return;
    if (auto value = request.query_param(rule.alias)) out[rule.alias] = *value;
  });
  return out;
}

std::expected<Asked, http::Response> read_query(const http::Request& request) {
  const auto refuse = [&](int status, std::string message) {
    return std::unexpected(http::error_response(request, status, "validation_error", message));
  };
  Asked asked;
  asked.url = trim(request.query_param("url").value_or(""));
  if (const auto wrong = media::check_http_url(asked.url)) return refuse(400, "url " + *wrong);
  const auto selection =
      decode<downloads::Selection>(query_object<downloads::Selection>(request), {.text_scalars = true});
  if (!selection) {
    const Problem& problem = selection.error().front();
    return refuse(400, (problem.loc.empty() ? "" : problem.loc.front() + " ") + problem.msg);
  }
  asked.selection = *selection;
  if (const auto checked = downloads::check_selection(asked.selection); !checked)
    return refuse(400, checked.error().message);
  const auto paging = read_paging(request);
  if (!paging) return refuse(422, paging.error().message);
  asked.paging = *paging;
  return asked;
}

// A URL that is something else is a wrong question (400) or, as the first project's channels have it, 422,
// like everything that extraction finds out.
http::Response refusal(const http::Request& request, const Error& error, int not_a_list) {
  if (error.reason == "not_a_playlist")
    return http::error_response(request, not_a_list, error.reason, error.message);
  if (error.code == Errc::unsupported) return http::error_response(request, 422, error.reason, error.message);
  return http::error_response(request, error);
}

template <class View>
http::Contract previewing() {
  return {.body = http::Body::none(),
          .query = http::Query::of<UrlQuery, downloads::Selection, PagingQuery>(),
          .answers = http::Answers::json<View>(),
          .refusals = http::Refusals::of({{400, http::kAnyCode},
                                          {401, http::kAnyCode},
                                          {403, http::kAnyCode},
                                          {404, http::kAnyCode},
                                          {422, http::kAnyCode},
                                          {429, http::kAnyCode},
                                          {503, http::kAnyCode},
                                          {504, http::kAnyCode}})};
}

}  // namespace

void PreviewRoutes::add_to(http::Router& router) {
  for (const char* path : {"/api/v1/playlist/preview", "/api/v1/playlist/info"})
    router.add({.method = "GET",
                .path = path,
                .scope = access::kMetadataRead,
                .summary = "Show what a playlist holds, page by page.",
                .contract = previewing<PlaylistPreview>(),
                .limit = "playlist"},
               [this](http::Request request) { return playlist(std::move(request)); });
  router.add({.method = "GET",
              .path = "/api/v1/channel/info",
              .scope = access::kMetadataRead,
              .summary = "Show what a channel holds, filtered and sorted.",
              .contract = previewing<ChannelInfo>(),
              .limit = "playlist"},
             [this](http::Request request) { return channel(std::move(request)); });
}

Task<http::Response> PreviewRoutes::playlist(http::Request request) {
  auto asked = read_query(request);
  if (!asked) co_return std::move(asked.error());
  const auto found = co_await downloads::preview(lister_, asked->url, asked->selection, asked->paging.offset,
                                                 asked->paging.size);
  if (!found) co_return refusal(request, found.error(), 400);
  co_return http::json_response(200, encode(playlist_preview(asked->url, *found, asked->paging)));
}

Task<http::Response> PreviewRoutes::channel(http::Request request) {
  auto asked = read_query(request);
  if (!asked) co_return std::move(asked.error());
  const auto found = co_await downloads::preview(lister_, asked->url, asked->selection, asked->paging.offset,
                                                 asked->paging.size);
  if (!found) co_return refusal(request, found.error(), 422);
  co_return http::json_response(200,
                                encode(channel_info(asked->url, *found, asked->selection, asked->paging)));
}

}  // namespace trawl::api
