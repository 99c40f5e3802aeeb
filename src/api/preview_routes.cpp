#include "api/preview_routes.h"

#include "access/scopes.h"
#include "api/body.h"
#include "api/medium_views.h"
#include "api/queries.h"
#include "base/text.h"
#include "media/options.h"
#include "net/admission.h"
#include "net/url.h"

namespace trawl::api {
namespace {

struct Asked {
  std::string url;
  downloads::Viewer viewer;
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
  asked.viewer.owner = request.caller.owner;
  for (const char* name : {"cookies_id", "cookies"}) {
    const auto id = request.query_param(name);
    if (id && !id->empty()) asked.viewer.cookies_id = *id;
  }
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

// The contract of a route that asks a site.
http::Contract asking(http::Query query, http::Answers answers) {
  return {.body = http::Body::none(),
          .query = std::move(query),
          .answers = std::move(answers),
          .refusals = http::Refusals::of({{400, http::kAnyCode},
                                          {401, http::kAnyCode},
                                          {403, http::kAnyCode},
                                          {404, http::kAnyCode},
                                          {422, http::kAnyCode},
                                          {429, http::kAnyCode},
                                          {503, http::kAnyCode},
                                          {504, http::kAnyCode}})};
}

template <class View>
http::Contract previewing() {
  return asking(http::Query::of<UrlQuery, CookiesQuery, downloads::Selection, PagingQuery>(),
                http::Answers::json<View>());
}

template <class View>
http::Contract looking() {
  return asking(http::Query::of<UrlQuery, CookiesQuery>(), http::Answers::json<View>());
}

http::Contract exporting() {
  return asking(http::Query::of<UrlQuery, CookiesQuery, TableQuery, downloads::Selection, PagingQuery>(),
                http::Answers::json<MetadataView>().or_bytes(
                    200, "text/csv", "A line for each entry, or one for the medium, with `format=csv`."));
}

http::Contract validating() {
  http::Contract contract = asking(http::Query::none(), http::Answers::json<ValidateView>());
  contract.body = http::Body::json<ValidateBody>();
  return contract;
}

// In the words of API.md 2.3. A short is one because its address says so.
std::string content_type(std::string_view url, const MetadataView& found) {
  if (found.is_playlist && found.channel_id) return "channel";
  if (found.is_playlist) return "playlist";
  if (found.is_live) return "live";
  return url.substr(0, url.find_first_of("?#")).contains("/shorts/") ? "shorts" : "video";
}

}  // namespace

void PreviewRoutes::add_to(http::Router& router) {
  const auto add = [&](std::initializer_list<const char*> paths, const char* summary, http::Contract contract,
                       Task<http::Response> (PreviewRoutes::*member)(http::Request),
                       http::AccessScope scope = access::kMetadataRead, const char* method = "GET") {
    for (const char* path : paths)
      router.add({.method = method,
                  .path = path,
                  .scope = scope,
                  .summary = summary,
                  .contract = contract,
                  .limit = "playlist"},
                 [this, member](http::Request request) { return (this->*member)(std::move(request)); });
  };
  add({"/api/v1/playlist/preview", "/api/v1/playlist/info"}, "Show what a playlist holds, page by page.",
      previewing<PlaylistPreview>(), &PreviewRoutes::playlist);
  add({"/api/v1/channel/info"}, "Show what a channel holds, filtered and sorted.", previewing<ChannelInfo>(),
      &PreviewRoutes::channel);
  add({"/api/v1/formats", "/api/v1/metadata/formats"}, "Show in which formats a medium can be had.",
      looking<FormatsView>(), &PreviewRoutes::formats);
  add({"/api/v1/metadata", "/api/v1/metadata/metadata"},
      "Show what is known of a medium or playlist, as JSON or CSV.", exporting(), &PreviewRoutes::metadata);
  add({"/api/v1/info"}, "Show what is known of a medium (older path).", looking<InfoView>(),
      &PreviewRoutes::info, options_.public_info ? access::kPublic : access::kMetadataRead);
  add({"/api/v1/urls/validate"}, "Say whether a URL may be downloaded, and what is there.", validating(),
      &PreviewRoutes::validate_body, access::kMetadataRead, "POST");
  for (const char* method : {"GET", "POST"})
    add({"/validate-url"}, "Say whether a URL may be downloaded (older path).",
        asking(http::Query::of<UrlQuery>(), http::Answers::json<ValidateView>()),
        &PreviewRoutes::validate_query, access::kMetadataRead, method);
}

Task<http::Response> PreviewRoutes::playlist(http::Request request) {
  auto asked = read_query(request);
  if (!asked) co_return std::move(asked.error());
  const auto found = co_await looks_.preview(asked->url, asked->viewer, asked->selection,
                                             asked->paging.offset, asked->paging.size);
  if (!found) co_return refusal(request, found.error(), 400);
  co_return http::json_response(200, encode(playlist_preview(asked->url, *found, asked->paging)));
}

Task<http::Response> PreviewRoutes::channel(http::Request request) {
  auto asked = read_query(request);
  if (!asked) co_return std::move(asked.error());
  const auto found = co_await looks_.preview(asked->url, asked->viewer, asked->selection,
                                             asked->paging.offset, asked->paging.size);
  if (!found) co_return refusal(request, found.error(), 422);
  co_return http::json_response(200,
                                encode(channel_info(asked->url, *found, asked->selection, asked->paging)));
}

Task<http::Response> PreviewRoutes::formats(http::Request request) {
  const auto asked = read_query(request);
  if (!asked) co_return asked.error();
  const auto medium = co_await looks_.medium(asked->url, asked->viewer);
  if (!medium) co_return refusal(request, medium.error(), 422);
  co_return http::json_response(200, encode(formats_view(asked->url, *medium)));
}

Task<http::Response> PreviewRoutes::info(http::Request request) {
  const auto asked = read_query(request);
  if (!asked) co_return asked.error();
  const auto medium = co_await looks_.medium(asked->url, asked->viewer);
  if (!medium) co_return refusal(request, medium.error(), 422);
  co_return http::json_response(200, encode(info_view(asked->url, *medium)));
}

Task<http::Response> PreviewRoutes::metadata(http::Request request) {
  const auto asked = read_query(request);
  if (!asked) co_return asked.error();
  const std::string format = request.query_param("format").value_or("json");
  if (format != "json" && format != "csv")
    co_return http::error_response(request, 422, "validation_error", "format must be json or csv");
  const auto view = co_await look(asked->url, asked->viewer, asked->selection, asked->paging);
  if (!view) co_return refusal(request, view.error(), 422);
  if (format == "json") co_return http::json_response(200, encode(*view));
  std::vector<json::object> rows;
  if (view->is_playlist) {
    for (const EntryView& entry : view->entries) rows.push_back(encode(entry).as_object());
  } else {
    rows.push_back(encode(view->metadata).as_object());
  }
  http::Response response{.status = 200, .headers = {}, .body = csv_of(rows)};
  response.headers.set("Content-Type", "text/csv; charset=utf-8; header=present");
  response.headers.set("Content-Disposition", "attachment; filename=\"metadata.csv\"");
  co_return response;
}

Task<Result<MetadataView>> PreviewRoutes::look(std::string url, downloads::Viewer viewer,
                                               downloads::Selection selection, PageRequest paging) {
  const auto medium = co_await looks_.medium(url, viewer);
  if (medium) co_return metadata_view(std::move(url), *medium, clock_.now());
  if (medium.error().reason != "is_a_playlist") co_return fail(medium.error());
  const auto found =
      co_await looks_.preview(url, std::move(viewer), std::move(selection), paging.offset, paging.size);
  if (!found) co_return fail(found.error());
  co_return metadata_view(std::move(url), *found, paging, clock_.now());
}

Task<http::Response> PreviewRoutes::validate_body(http::Request request) {
  auto body = read_body<ValidateBody>(request, {.refuse_unknown = true});
  if (!body) co_return std::move(body.error());
  co_return co_await validate(std::move(request), std::move(*body));
}

Task<http::Response> PreviewRoutes::validate_query(http::Request request) {
  ValidateBody wanted{.url = request.query_param("url").value_or("")};
  co_return co_await validate(std::move(request), std::move(wanted));
}

// What is wrong with the URL is the answer, not an error of the request; what is wrong with us is one.
Task<http::Response> PreviewRoutes::validate(http::Request request, ValidateBody wanted) {
  wanted.url = std::string(trim(wanted.url));
  ValidateView view{.url = wanted.url};
  const auto invalid = [&](const Error& error) {
    view.error = error.message;
    view.error_code = error.reason;
    return http::json_response(200, encode(view));
  };
  if (!net::parse_url(wanted.url))
    view.url = net::redact_url(wanted.url);  // A password may be what is wrong.
  if (const auto wrong = media::check_http_url(wanted.url))
    co_return invalid({Errc::invalid, "url " + *wrong, "invalid_url"});
  if (const auto admitted = co_await net::admit_url(policy_, wanted.url); !admitted)
    co_return invalid(admitted.error());
  view.valid = true;
  if (!wanted.inspect) co_return http::json_response(200, encode(view));
  const auto found =
      co_await look(wanted.url, {request.caller.owner, wanted.cookies_id}, {}, {.offset = 0, .size = 1});
  if (!found && (found.error().reason == "unknown_cookies" || found.error().reason == "cookies_expired" ||
                 found.error().code == Errc::internal))
    co_return http::error_response(request, found.error());
  view.valid = found.has_value();
  if (!found) co_return invalid(found.error());
  view.content_type = content_type(wanted.url, *found);
  view.title = found->title;
  view.extractor = found->extractor;
  co_return http::json_response(200, encode(view));
}

}  // namespace trawl::api
