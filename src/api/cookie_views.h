#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/cookie_store.h"
#include "api/common_views.h"
#include "base/describe.h"
#include "base/json.h"

namespace trawl::api {

// Body of POST /auth/cookies. `cookies` is the text of an export, or the JSON of one as it is.
struct NewCookiesBody {
  json::value cookies;
  std::optional<std::string> browser;
  std::string name = "default";
  std::optional<std::string> profile;
};
BOOST_DESCRIBE_STRUCT(NewCookiesBody, (), (cookies, browser, name, profile))

// Cookies as they are shown: never a name or value of one.
struct CookieView {
  std::string cookie_id, id;  // The same.
  std::string name;
  std::optional<std::string> browser;
  std::vector<std::string> domains;
  std::int64_t cookie_count = 0;
  std::string status;  // active, expired
  bool expires_soon = false, rotation_due = false;
  SystemTime created_at;
  std::optional<SystemTime> expires_at, first_expiry;
};
BOOST_DESCRIBE_STRUCT(CookieView, (),
                      (cookie_id, id, name, browser, domains, cookie_count, status, expires_soon,
                       rotation_due, created_at, expires_at, first_expiry))

struct CookieListView {
  std::vector<CookieView> cookies;
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(CookieListView, (), (cookies, total))

[[nodiscard]] std::optional<std::string> check_cookie_name(std::string_view text);

}  // namespace trawl::api

template <>
struct trawl::Rules<trawl::api::NewCookiesBody> {
  static constexpr FieldRule fields[] = {
      {.name = "cookies",
       .doc = "Netscape text, or a browser's JSON export as text or as it is.",
       .secret = true},
      {.name = "browser", .doc = "Take the cookies of this browser on the server's machine.", .max = 20},
      {.name = "name",
       .doc = "What people call the set.",
       .min = 1,
       .max = 50,
       .check = api::check_cookie_name},
      {.name = "profile", .doc = "Which profile of the browser.", .max = 200}};
};
template <>
struct trawl::Example<trawl::api::NewCookiesBody> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::CookieView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::CookieListView> {
  static json::value make();
};
