#include "api/cookie_views.h"
#include "api/key_views.h"
#include "api/link_views.h"
#include "api/usage_views.h"

// The examples of the API's description that are about keys, cookies, links and quotas.
namespace trawl {
namespace {

using api::example_time;

api::KeyView key() {
  api::KeyView view;
  view.custom_rate_limit = 60;
  view.id = view.key_id = "Ab3dEf9h";
  view.prefix = "trawl_Ab3dEf9h";
  view.name = "laptop";
  view.scopes = {"downloads:read", "downloads:write"};
  view.status = "active";
  view.created_by = "Zy8xWv7u";
  view.created_at = view.updated_at = example_time();
  view.last_used_at = example_time(60);
  view.usage_count = 3;
  return view;
}

api::IssuedKeyView issued() {
  return {
      .api_key = "trawl_Ab3dEf9h_...", .key_info = key(), .message = "keep the key: it is not shown again"};
}

api::CookieView cookies() {
  api::CookieView view;
  view.cookie_id = view.id = "01980000-0000-7000-8000-000000000005";
  view.name = "default";
  view.domains = {"example.com"};
  view.cookie_count = 2;
  view.status = "active";
  view.created_at = example_time();
  view.expires_at = view.first_expiry = example_time(86'400);
  return view;
}

api::LinkView link() {
  return {.id = "a1b2c3d4e5f6g7h8",
          .path = "videos/Title-1.mp4",
          .artifact_id = "01980000-0000-7000-8000-000000000004",
          .url = "/files/videos/Title-1.mp4?link=a1b2c3d4e5f6g7h8&key=&expires=1893456900&signature=...",
          .method = "GET",
          .expires_at = example_time(900)};
}

}  // namespace

json::value Example<api::DeletedView>::make() {
  return encode(api::DeletedView{"01980000-0000-7000-8000-000000000005", "cookies", "deleted",
                                 "the cookies are deleted", example_time()});
}

json::value Example<api::NewKeyBody>::make() {
  return {{"name", "laptop"}, {"permission_level", "download"}, {"custom_rate_limit", 60}};
}
json::value Example<api::KeyChangeBody>::make() {
  return {{"is_active", false}, {"notes", "lost"}};
}
json::value Example<api::RotateBody>::make() {
  return {{"grace_sec", 3600}};
}
json::value Example<api::KeyView>::make() {
  return encode(key());
}
json::value Example<api::IssuedKeyView>::make() {
  return encode(issued());
}
json::value Example<api::KeyListView>::make() {
  return encode(api::KeyListView{.api_keys = {key()}, .total = 1, .pages = 1});
}
json::value Example<api::RevokedKeyView>::make() {
  return encode(
      api::RevokedKeyView{{key().id, "api_key", "revoked", "the key is revoked", example_time()}, key().id});
}

json::value Example<api::NewCookiesBody>::make() {
  return {{"name", "default"},
          {"cookies", "# Netscape HTTP Cookie File\n.example.com\tTRUE\t/\tTRUE\t1893542400\tname\tvalue\n"}};
}
json::value Example<api::CookieView>::make() {
  return encode(cookies());
}
json::value Example<api::CookieListView>::make() {
  return encode(api::CookieListView{.cookies = {cookies()}, .total = 1});
}

json::value Example<api::NewLinkBody>::make() {
  return {{"path", "videos/Title-1.mp4"}, {"expires_in", 900}};
}
json::value Example<api::LinkView>::make() {
  return encode(link());
}
json::value Example<api::LinkListView>::make() {
  api::LinkView listed = link();
  listed.path.reset();
  listed.url.reset();
  return encode(api::LinkListView{.links = {listed}, .total = 1});
}

json::value Example<api::UsageView>::make() {
  return encode(api::UsageView{.key_id = key().id,
                               .day = {"2030-01-01", 3, 7'340'032, 100, {}},
                               .month = {"2030-01", 3, 7'340'032, {}, {}}});
}
json::value Example<api::AdminStatsView>::make() {
  return encode(api::AdminStatsView{.total_api_keys = 2,
                                    .active_api_keys = 1,
                                    .total_downloads = 4,
                                    .successful_downloads = 3,
                                    .failed_downloads = 1,
                                    .downloads_last_24h = 4,
                                    .downloads_last_7d = 4,
                                    .top_users = {{key().id, 4}},
                                    .timestamp = example_time()});
}
json::value Example<api::RoutesView>::make() {
  return encode(api::RoutesView{{{.method = "GET",
                                  .path = "/api/v1/downloads/{id}",
                                  .scope = "downloads:read",
                                  .summary = "Show a download.",
                                  .limit = ""}}});
}

}  // namespace trawl
