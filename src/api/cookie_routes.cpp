#include "api/cookie_routes.h"

#include <algorithm>

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/body.h"
#include "api/cookie_views.h"
#include "api/ownership.h"
#include "base/log.h"

namespace trawl::api {
namespace {

constexpr std::string_view kBrowsers[] = {"chrome", "firefox", "edge",    "safari",
                                          "brave",  "opera",   "chromium"};

CookieView view_of(const access::CookieSet& set, SystemTime now, const CookieRoutes::Options& options) {
  CookieView view;
  view.cookie_id = view.id = set.id.str();
  view.name = set.name;
  if (!set.browser.empty()) view.browser = set.browser;
  view.domains = set.domains;
  view.cookie_count = set.count;
  view.status = set.expired(now) ? "expired" : "active";
  view.expires_soon = set.ends_within(options.warning, now);
  view.rotation_due = set.is_due(options.rotation, now);
  view.created_at = set.created_at;
  view.expires_at = set.expires_at;
  view.first_expiry = set.first_expiry;
  return view;
}

http::Response wrong(const http::Request& request, std::string field, std::string message) {
  return http::error_response(request, 422, "validation_error", field + " " + message,
                              {{{field}, message, "value_error"}});
}

// The export as text, however it came.
std::string export_text(const json::value& cookies) {
  if (const auto* text = cookies.if_string()) return std::string(*text);
  return json::serialize(cookies);
}

http::Contract creation() {
  return {.body = http::Body::json<NewCookiesBody>(),
          .query = http::Query::none(),
          .answers = http::Answers::json<CookieView>(201),
          .refusals = http::Refusals::of({{400, "invalid_cookies"},
                                          {403, "browser_not_allowed"},
                                          {422, http::kAnyCode},
                                          {503, http::kAnyCode}})};
}

}  // namespace

std::optional<std::string> check_cookie_name(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || c == '_' || c == '-';
  };
  if (std::ranges::all_of(text, allowed)) return std::nullopt;
  return "may have letters, digits, '_' and '-' only";
}

void CookieRoutes::add_to(http::Router& router) {
  const auto add = [&](const char* method, const std::string& path, const char* summary,
                       http::Contract contract, Task<http::Response> (CookieRoutes::*member)(http::Request)) {
    router.add({.method = method,
                .path = path,
                .scope = access::kCookies,
                .summary = summary,
                .contract = std::move(contract)},
               [this, member](http::Request request) { return (this->*member)(std::move(request)); });
  };
  for (const std::string base : {"/api/v1/auth/cookies", "/api/v1/cookies"}) {
    add("POST", base, "Store cookies for downloads.", creation(), &CookieRoutes::create);
    add("GET", base, "List stored cookies, without what is in them.", shows<CookieListView>(),
        &CookieRoutes::list);
    add("GET", base + "/{id}", "Show what stored cookies are for and until when.", shows_one<CookieView>(),
        &CookieRoutes::show);
    add("DELETE", base + "/{id}", "Delete stored cookies.", shows_one<DeletedView>(), &CookieRoutes::remove);
  }
}

Task<http::Response> CookieRoutes::create(http::Request request) {
  const auto body = read_body<NewCookiesBody>(request, {});
  if (!body) co_return std::move(body.error());
  const bool given = !body->cookies.is_null();
  if (!given && !body->browser) co_return wrong(request, "cookies", "or browser is required");
  if (body->browser && std::ranges::find(kBrowsers, *body->browser) == std::end(kBrowsers))
    co_return wrong(request, "browser", fmt::format("must be one of {}", fmt::join(kBrowsers, ", ")));

  Result<std::vector<access::BrowserCookie>> cookies = std::vector<access::BrowserCookie>();
  if (given) {
    cookies = access::parse_cookies(export_text(body->cookies));
  } else if (std::ranges::find(options_.browsers, *body->browser) == options_.browsers.end()) {
    co_return http::error_response(
        request, 403, "browser_not_allowed",
        fmt::format("the cookies of {} may not be read on this server (cookies.browsers)", *body->browser));
  } else {
    cookies = co_await options_.extract(*body->browser, body->profile.value_or(""));
  }
  if (!cookies && cookies.error().reason == "invalid_cookies")
    co_return http::error_response(request, 400, cookies.error().reason, cookies.error().message);
  if (!cookies && cookies.error().code == Errc::invalid)
    co_return http::error_response(request, 422, cookies.error().reason, cookies.error().message);
  if (!cookies) co_return http::error_response(request, cookies.error());

  const auto set = co_await cookies_.add({.owner = request.caller.owner,
                                          .name = body->name,
                                          .browser = given ? "" : *body->browser,
                                          .cookies = std::move(*cookies)});
  if (!set) co_return http::error_response(request, set.error());
  log_info("cookies were stored",
           {{"cookies_id", set->id.str()}, {"by", request.caller.key}, {"request_id", request.id}});
  co_return http::json_response(201, encode(view_of(*set, clock_.now(), options_)));
}

Task<http::Response> CookieRoutes::list(http::Request request) {
  const auto sets = co_await cookies_.list(visible_owner(request.caller));
  if (!sets) co_return http::error_response(request, sets.error());
  CookieListView view{.cookies = {}, .total = static_cast<std::int64_t>(sets->size())};
  for (const access::CookieSet& set : *sets) view.cookies.push_back(view_of(set, clock_.now(), options_));
  co_return http::json_response(200, encode(view));
}

Task<http::Response> CookieRoutes::show(http::Request request) {
  const auto set = co_await cookies_.find(request.path_param("id"), visible_owner(request.caller));
  if (!set) co_return http::error_response(request, set.error());
  co_return http::json_response(200, encode(view_of(*set, clock_.now(), options_)));
}

Task<http::Response> CookieRoutes::remove(http::Request request) {
  const std::string id = request.path_param("id");
  const auto removed = co_await cookies_.remove(id, visible_owner(request.caller));
  if (!removed) co_return http::error_response(request, removed.error());
  log_info("cookies were deleted",
           {{"cookies_id", id}, {"by", request.caller.key}, {"request_id", request.id}});
  co_return http::json_response(
      200, encode(DeletedView{id, "cookies", "deleted", "the cookies are deleted", clock_.now()}));
}

}  // namespace trawl::api
