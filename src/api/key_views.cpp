#include "api/key_views.h"

#include <algorithm>

namespace trawl::api {
namespace {

std::string status_of(const access::Key& key, SystemTime now) {
  if (key.revoked_at) return "revoked";
  if (!key.active) return "disabled";
  return key.expires_at && now >= *key.expires_at ? "expired" : "active";
}

}  // namespace

std::optional<std::string> check_key_name(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || c == ' ' || c == '_' || c == '-';
  };
  if (std::ranges::all_of(text, allowed)) return std::nullopt;
  return "may have letters, digits, spaces, '_' and '-' only";
}

KeyView view_of(const access::Key& key, SystemTime now) {
  KeyView view;
  view.id = view.key_id = key.id;
  view.prefix = "trawl_" + key.id;
  view.name = key.name;
  view.permission_level = key.level;
  for (const http::AccessScope scope : access::scopes_of(key.level)) view.scopes.emplace_back(scope.name());
  view.status = status_of(key, now);
  view.is_active = view.status == "active";
  view.description = key.description;
  view.notes = key.notes;
  view.created_by = key.created_by;
  view.created_at = key.created_at;
  view.updated_at = key.updated_at;
  view.expires_at = key.expires_at;
  view.revoked_at = key.revoked_at;
  view.last_used_at = key.last_used_at;
  view.usage_count = key.usage_count;
  view.custom_rate_limit = key.limits.requests_per_minute;
  view.jobs_per_day = key.limits.jobs_per_day;
  view.jobs_per_month = key.limits.jobs_per_month;
  view.bytes_per_day = key.limits.bytes_per_day;
  view.bytes_per_month = key.limits.bytes_per_month;
  return view;
}

IssuedKeyView view_of(const access::IssuedKey& issued, SystemTime now) {
  return {.api_key = issued.text,
          .key_info = view_of(issued.key, now),
          .message = "keep this key: it is not shown again"};
}

access::NewKey new_key(const NewKeyBody& body) {
  return {.name = body.name,
          .level = body.permission_level,
          .description = body.description,
          .notes = body.notes,
          .limits = {.requests_per_minute = body.custom_rate_limit,
                     .jobs_per_day = body.jobs_per_day,
                     .jobs_per_month = body.jobs_per_month,
                     .bytes_per_day = body.bytes_per_day,
                     .bytes_per_month = body.bytes_per_month},
          .expires_at = body.expires_at};
}

access::KeyChange key_change(const KeyChangeBody& body, const json::object& document,
                             access::KeyLimits limits) {
  access::KeyChange change{.name = body.name,
                           .description = body.description,
                           .notes = body.notes,
                           .level = body.permission_level,
                           .active = body.is_active};
  if (document.contains("expires_at")) change.expires_at.emplace(body.expires_at);
  if (document.contains("custom_rate_limit")) limits.requests_per_minute = body.custom_rate_limit;
  if (document.contains("jobs_per_day")) limits.jobs_per_day = body.jobs_per_day;
  if (document.contains("jobs_per_month")) limits.jobs_per_month = body.jobs_per_month;
  if (document.contains("bytes_per_day")) limits.bytes_per_day = body.bytes_per_day;
  if (document.contains("bytes_per_month")) limits.bytes_per_month = body.bytes_per_month;
  change.limits = limits;
  return change;
}

}  // namespace trawl::api
