#include "api/openapi_refusals.h"

#include <algorithm>

#include "access/scopes.h"
#include "api/common_views.h"

namespace trawl::api {
namespace {

json::object error_example(int status, std::string_view code) {
  std::string text(code);
  std::ranges::replace(text, '_', ' ');
  return {{"error", text},
          {"error_code", code},
          {"message", text},
          {"detail", text},
          {"details", json::object()},
          {"status_code", status},
          {"request_id", "01980000-0000-7000-8000-000000000009"},
          {"timestamp", to_iso8601(example_time())}};
}

}  // namespace

std::map<int, RefusalCodes> all_refusals(const http::Endpoint& endpoint) {
  std::map<int, RefusalCodes> out;
  const auto add = [&](int status, std::initializer_list<std::string_view> codes) {
    for (const auto code : codes) out[status].emplace(code);
  };
  const bool open = endpoint.scope == access::kPublic;
  const bool harmless = endpoint.method == "GET" && !endpoint.websocket;
  add(400, {"bad_request"});
  add(500, {"internal_error"});
  if (!open) {
    add(401, {"unauthorized", "key_invalid", "key_revoked", "key_disabled", "key_expired"});
    add(403, {"scope_missing"});
  }
  if (!harmless) add(403, {"foreign_origin"});
  if (!open || !harmless || !endpoint.limit.empty()) {
    add(429, {"rate_limited"});
    add(503, {"overloaded", "unavailable"});
  }
  if (endpoint.method != "GET") {
    add(408, {"timeout"});
    add(413, {"too_large"});
  }
  const std::string& takes = endpoint.contract.body.media;
  if (takes == "application/json") add(400, {"invalid_json"});
  if (!takes.empty()) add(422, {"validation_error"});
  for (const auto& [status, code] : endpoint.contract.refusals.all) add(status, {code});
  return out;
}

json::object error_schema() {
  const json::object text{{"type", "string"}};
  const json::object problem{
      {"type", "object"},
      {"properties", {{"loc", {{"type", "array"}, {"items", text}}}, {"msg", text}, {"type", text}}},
      {"required", json::array{"loc", "msg", "type"}},
      {"additionalProperties", false}};
  json::object detail{{"description", "The text again, or with 422 what is wrong where."},
                      {"anyOf", json::array{text, {{"type", "array"}, {"items", problem}}}}};
  return {
      {"type", "object"},
      {"description", "The one body of every refusal. `error` and `message` are the same text."},
      {"properties",
       {{"error", text},
        {"error_code", {{"type", "string"}, {"pattern", "^[a-z0-9_]+$"}, {"description", "For programs."}}},
        {"message", text},
        {"detail", std::move(detail)},
        {"details", {{"type", "object"}}},
        {"status_code", {{"type", "integer"}}},
        {"request_id", text},
        {"timestamp", {{"type", "string"}, {"format", "date-time"}}}}},
      {"required", json::array{"error", "error_code", "message", "detail", "details", "status_code",
                               "request_id", "timestamp"}},
      {"additionalProperties", false}};
}

json::object refusal_media(int status, const RefusalCodes& codes) {
  const json::object error{{"$ref", "#/components/schemas/Error"}};
  if (codes.contains(http::kAnyCode)) return {{"schema", error}};
  json::array known;
  json::object examples;
  for (const std::string& code : codes) {
    known.push_back(json::string(code));
    examples[code] = json::object{{"value", error_example(status, code)}};
  }
  json::object schema{{"allOf", json::array{error}},
                      {"properties", {{"error_code", {{"enum", std::move(known)}}}}}};
  return {{"schema", std::move(schema)}, {"examples", std::move(examples)}};
}

}  // namespace trawl::api
