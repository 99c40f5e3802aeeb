#pragma once

#include <optional>
#include <string>
#include <vector>

#include "access/key_store.h"
#include "api/common_views.h"
#include "base/describe.h"
#include "base/json.h"

namespace trawl::api {

// What an API key may use; null: what the configuration says.
struct KeyLimitsView {
  std::optional<std::int64_t> custom_rate_limit;
  std::optional<std::int64_t> jobs_per_day, jobs_per_month;
  std::optional<std::int64_t> bytes_per_day, bytes_per_month;
};
BOOST_DESCRIBE_STRUCT(KeyLimitsView, (),
                      (custom_rate_limit, jobs_per_day, jobs_per_month, bytes_per_day, bytes_per_month))

// Body of POST /admin/api-keys.
struct NewKeyBody : KeyLimitsView {
  std::string name;
  access::Level permission_level = access::Level::download;
  std::string description, notes;
  std::optional<SystemTime> expires_at;
};
BOOST_DESCRIBE_STRUCT(NewKeyBody, (KeyLimitsView), (name, permission_level, description, notes, expires_at))

// Body of PUT /admin/api-keys/{id}: what is absent stays, null clears.
struct KeyChangeBody : KeyLimitsView {
  std::optional<std::string> name;
  std::optional<access::Level> permission_level;
  std::optional<bool> is_active;
  std::optional<std::string> description, notes;
  std::optional<SystemTime> expires_at;
};
BOOST_DESCRIBE_STRUCT(KeyChangeBody, (KeyLimitsView),
                      (name, permission_level, is_active, description, notes, expires_at))

struct RotateBody {
  int grace_sec = 0;
};
BOOST_DESCRIBE_STRUCT(RotateBody, (), (grace_sec))

// A key as it is shown: never its secret.
struct KeyView : KeyLimitsView {
  std::string id, key_id;  // The same.
  std::string prefix;      // How the key begins.
  std::string name;
  access::Level permission_level = access::Level::download;
  std::vector<std::string> scopes;
  bool is_active = true;
  std::string status;  // active, disabled, expired, revoked
  std::string description, notes, created_by;
  SystemTime created_at, updated_at;
  std::optional<SystemTime> expires_at, revoked_at, last_used_at;
  std::int64_t usage_count = 0;
};
BOOST_DESCRIBE_STRUCT(KeyView, (KeyLimitsView),
                      (id, key_id, prefix, name, permission_level, scopes, is_active, status, description,
                       notes, created_by, created_at, updated_at, expires_at, revoked_at, last_used_at,
                       usage_count))

struct IssuedKeyView {
  std::string api_key;  // Shown this once.
  KeyView key_info;
  std::string message;
};
BOOST_DESCRIBE_STRUCT(IssuedKeyView, (), (api_key, key_info, message))

struct KeyListView {
  std::vector<KeyView> api_keys;
  std::int64_t total = 0, page = 1, per_page = 20, pages = 0;
};
BOOST_DESCRIBE_STRUCT(KeyListView, (), (api_keys, total, page, per_page, pages))

// What DELETE says of a key.
struct RevokedKeyView : DeletedView {
  std::string key_id;  // The same as `id`.
};
BOOST_DESCRIBE_STRUCT(RevokedKeyView, (DeletedView), (key_id))

[[nodiscard]] KeyView view_of(const access::Key& key, SystemTime now);
[[nodiscard]] IssuedKeyView view_of(const access::IssuedKey& issued, SystemTime now);

[[nodiscard]] access::NewKey new_key(const NewKeyBody& body);
// `document` is what `body` was read from: it tells null from absent. `limits` are those of today.
[[nodiscard]] access::KeyChange key_change(const KeyChangeBody& body, const json::object& document,
                                           access::KeyLimits limits);

[[nodiscard]] std::optional<std::string> check_key_name(std::string_view text);

}  // namespace trawl::api

template <>
struct trawl::Rules<trawl::api::KeyLimitsView> {
  static constexpr FieldRule fields[] = {
      {.name = "custom_rate_limit",
       .doc = "Requests per minute, in place of the level's.",
       .min = 1,
       .max = 10'000},
      {.name = "jobs_per_day", .doc = "Downloads that may be created in a day (UTC).", .min = 0, .max = 1e9},
      {.name = "jobs_per_month",
       .doc = "Downloads that may be created in a month (UTC).",
       .min = 0,
       .max = 1e9},
      {.name = "bytes_per_day", .doc = "Bytes of finished downloads in a day (UTC).", .min = 0, .max = 1e15},
      {.name = "bytes_per_month",
       .doc = "Bytes of finished downloads in a month (UTC).",
       .min = 0,
       .max = 1e15}};
};
template <>
struct trawl::Rules<trawl::api::NewKeyBody> {
  static constexpr FieldRule fields[] = {
      {.name = "name",
       .doc = "What people call the key.",
       .min = 1,
       .max = 100,
       .required = true,
       .example = "\"laptop\"",
       .check = api::check_key_name},
      {.name = "permission_level", .doc = "What the key may do.", .example = "\"download\""},
      {.name = "description", .doc = "What it is for.", .max = 500},
      {.name = "notes", .doc = "For administrators.", .max = 1000},
      {.name = "expires_at", .doc = "When it ends by itself."}};
};
template <>
struct trawl::Rules<trawl::api::KeyChangeBody> {
  static constexpr FieldRule fields[] = {{.name = "name",
                                          .doc = "What people call the key.",
                                          .min = 1,
                                          .max = 100,
                                          .check = api::check_key_name},
                                         {.name = "permission_level", .doc = "What the key may do."},
                                         {.name = "is_active", .doc = "Whether the key can be used."},
                                         {.name = "description", .doc = "What it is for.", .max = 500},
                                         {.name = "notes", .doc = "For administrators.", .max = 1000},
                                         {.name = "expires_at", .doc = "When it ends by itself."}};
};
template <>
struct trawl::Rules<trawl::api::RotateBody> {
  static constexpr FieldRule fields[] = {
      {.name = "grace_sec", .doc = "Seconds the old secret still works.", .min = 0, .max = 604'800}};
};
template <>
struct trawl::Example<trawl::api::NewKeyBody> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::KeyChangeBody> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::RotateBody> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::KeyView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::IssuedKeyView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::KeyListView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::RevokedKeyView> {
  static json::value make();
};
