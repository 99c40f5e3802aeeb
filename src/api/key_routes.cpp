#include "api/key_routes.h"

#include <fmt/format.h>

#include "api/body.h"
#include "api/key_views.h"
#include "api/paging.h"
#include "api/queries.h"
#include "base/log.h"

namespace trawl::api {
namespace {

// The level of the caller; routes here ask for keys:manage, so there is one.
access::Level level_of(const http::Caller& caller) {
  return parse_enum<access::Level>(caller.level).value_or(access::Level::read_only);
}

http::Response too_much(const http::Request& request, access::Level wanted) {
  return http::error_response(request, 403, "level_too_high",
                              fmt::format("a key of level {} may not handle keys of level {}",
                                          request.caller.level, to_text(wanted)));
}

void audit(std::string_view what, const http::Request& request, const access::Key& key) {
  log_info(what, {{"key_id", key.id},
                  {"name", key.name},
                  {"level", to_text(key.level)},
                  {"by", request.caller.key},
                  {"request_id", request.id}});
}

template <class KeyBody, class View>
http::Contract taking(int status) {
  return {
      .body = http::Body::json<KeyBody>(),
      .query = http::Query::none(),
      .answers = http::Answers::json<View>(status),
      .refusals = http::Refusals::of({{403, "level_too_high"}, {404, "not_found"}, {409, "key_revoked"}})};
}

http::Contract listing() {
  return {.body = http::Body::none(),
          .query = http::Query::of<KeyListQuery, PagingQuery>(),
          .answers = http::Answers::json<KeyListView>(),
          .refusals = http::Refusals::of({{422, "validation_error"}})};
}

}  // namespace

void KeyRoutes::add_to(http::Router& router) {
  const auto add = [&](const char* method, const char* path, const char* summary, http::Contract contract,
                       Task<http::Response> (KeyRoutes::*member)(http::Request)) {
    router.add({.method = method,
                .path = path,
                .scope = access::kKeys,
                .summary = summary,
                .contract = std::move(contract)},
               [this, member](http::Request request) { return (this->*member)(std::move(request)); });
  };
  constexpr const char* kAll = "/api/v1/admin/api-keys";
  constexpr const char* kOne = "/api/v1/admin/api-keys/{id}";
  add("POST", kAll, "Make an API key; it is shown once.", taking<NewKeyBody, IssuedKeyView>(201),
      &KeyRoutes::create);
  add("GET", kAll, "List API keys, newest first.", listing(), &KeyRoutes::list);
  add("GET", kOne, "Show an API key.", shows_one<KeyView>(), &KeyRoutes::show);
  add("PUT", kOne, "Change an API key.", taking<KeyChangeBody, KeyView>(200), &KeyRoutes::change);
  add("DELETE", kOne, "Revoke an API key for good, at once.",
      shows<RevokedKeyView>(http::Refusals::of({{403, "level_too_high"}, {404, "not_found"}})),
      &KeyRoutes::revoke);
  add("POST", "/api/v1/admin/api-keys/{id}/rotate", "Give an API key another secret; it is shown once.",
      taking<RotateBody, IssuedKeyView>(200), &KeyRoutes::rotate);
}

Task<http::Response> KeyRoutes::create(http::Request request) {
  const auto body = read_body<NewKeyBody>(request, {});
  if (!body) co_return std::move(body.error());
  if (!access::may_hand_out(level_of(request.caller), body->permission_level))
    co_return too_much(request, body->permission_level);
  const auto issued = co_await keys_.create(new_key(*body), request.caller.key);
  if (!issued) co_return http::error_response(request, issued.error());
  audit("an API key was made", request, issued->key);
  co_return http::json_response(201, encode(view_of(*issued, clock_.now())));
}

Task<http::Response> KeyRoutes::list(http::Request request) {
  const auto paging = read_paging(request);
  if (!paging) co_return http::error_response(request, 422, paging.error().reason, paging.error().message);
  access::KeyStore::Filter filter{.active_only = request.query_param("active_only") == "true",
                                  .level = {},
                                  .offset = paging->offset,
                                  .limit = paging->size};
  if (const auto level = request.query_param("permission_level")) {
    filter.level = parse_enum<access::Level>(*level);
    if (!filter.level)
      co_return http::error_response(
          request, 422, "validation_error",
          "permission_level must be one of read_only, download, admin, full_access");
  }
  const auto page = co_await keys_.list(filter);
  if (!page) co_return http::error_response(request, page.error());
  KeyListView view{.api_keys = {},
                   .total = page->total,
                   .page = paging->offset / paging->size + 1,
                   .per_page = paging->size,
                   .pages = (page->total + paging->size - 1) / paging->size};
  for (const access::Key& key : page->keys) view.api_keys.push_back(view_of(key, clock_.now()));
  co_return http::json_response(200, encode(view));
}

Task<http::Response> KeyRoutes::show(http::Request request) {
  const auto key = co_await keys_.find(request.path_param("id"));
  if (!key) co_return http::error_response(request, key.error());
  co_return http::json_response(200, encode(view_of(*key, clock_.now())));
}

Task<std::expected<access::Key, http::Response>> KeyRoutes::handled(const http::Request& request) {
  auto key = co_await keys_.find(request.path_param("id"));
  if (!key) co_return std::unexpected(http::error_response(request, key.error()));
  if (!access::may_hand_out(level_of(request.caller), key->level))
    co_return std::unexpected(too_much(request, key->level));
  co_return std::move(*key);
}

Task<http::Response> KeyRoutes::change(http::Request request) {
  const auto body = read_body<KeyChangeBody>(request, {});
  if (!body) co_return std::move(body.error());
  const auto key = co_await handled(request);
  if (!key) co_return std::move(key.error());
  if (body->permission_level && !access::may_hand_out(level_of(request.caller), *body->permission_level))
    co_return too_much(request, *body->permission_level);
  const json::value document = parse_json(request.body.empty() ? "{}" : request.body).value();
  const auto changed = co_await keys_.change(key->id, key_change(*body, document.as_object(), key->limits));
  if (!changed) co_return http::error_response(request, changed.error());
  audit("an API key was changed", request, *changed);
  co_return http::json_response(200, encode(view_of(*changed, clock_.now())));
}

Task<http::Response> KeyRoutes::rotate(http::Request request) {
  const auto body = read_body<RotateBody>(request, {});
  if (!body) co_return std::move(body.error());
  const auto key = co_await handled(request);
  if (!key) co_return std::move(key.error());
  const auto issued = co_await keys_.rotate(key->id, std::chrono::seconds(body->grace_sec));
  if (!issued) co_return http::error_response(request, issued.error());
  audit("an API key was rotated", request, issued->key);
  co_return http::json_response(200, encode(view_of(*issued, clock_.now())));
}

Task<http::Response> KeyRoutes::revoke(http::Request request) {
  const auto key = co_await handled(request);
  if (!key) co_return std::move(key.error());
  const auto revoked = co_await keys_.revoke(key->id);
  if (!revoked) co_return http::error_response(request, revoked.error());
  audit("an API key was revoked", request, *revoked);
  co_return http::json_response(
      200, encode(RevokedKeyView{{revoked->id, "api_key", "revoked", "the key is revoked", clock_.now()},
                                 revoked->id}));
}

}  // namespace trawl::api
