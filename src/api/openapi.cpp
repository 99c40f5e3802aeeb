#include "api/openapi.h"

#include <algorithm>

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/check_patterns.h"
#include "api/openapi_refusals.h"
#include "base/text.h"

namespace trawl::api {
namespace {

json::object reference(std::string_view kind, std::string_view name) {
  return {{"$ref", fmt::format("#/components/{}/{}", kind, name)}};
}

std::string reason_of(int status) {
  static const std::map<int, std::string> names{{101, "Switching protocols"},
                                                {200, "Success"},
                                                {201, "Created"},
                                                {202, "Accepted"},
                                                {204, "No content"},
                                                {206, "Partial content"},
                                                {304, "Not modified"},
                                                {400, "Wrong request"},
                                                {401, "No valid key"},
                                                {403, "Not allowed"},
                                                {404, "Not found"},
                                                {408, "Too slow"},
                                                {409, "Not in this state"},
                                                {412, "Not as expected"},
                                                {413, "Too large"},
                                                {416, "No such range"},
                                                {422, "Not valid"},
                                                {426, "WebSocket only"},
                                                {429, "Too many"},
                                                {500, "A fault of ours"},
                                                {501, "Not built"},
                                                {503, "Not now"},
                                                {504, "Not in time"},
                                                {507, "The disk is full"}};
  const auto found = names.find(status);
  return found == names.end() ? fmt::format("Status {}", status) : found->second;
}

json::object header_components() {
  const auto header = [](std::string_view type, std::string_view text) {
    return json::object{{"description", text}, {"schema", {{"type", type}}}};
  };
  return {{"X-Request-ID", header("string", "The id of the request, as it is in the log.")},
          {"Retry-After", header("integer", "Seconds until the request may be sent again.")},
          {"Location", header("string", "Where what was made is found.")},
          {"RateLimit-Limit", header("integer", "How many requests are allowed in a row.")},
          {"RateLimit-Remaining", header("integer", "How many of them are left.")},
          {"RateLimit-Reset", header("integer", "Seconds until all of them are there again.")}};
}

json::object headers_of(const http::Endpoint& endpoint, int status) {
  json::object out{{"X-Request-ID", reference("headers", "X-Request-ID")}};
  if (status == 429 || status == 503 || status == 507)
    out["Retry-After"] = reference("headers", "Retry-After");
  if (endpoint.scope != access::kPublic) {
    for (const char* name : {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"})
      out[name] = reference("headers", name);
  }
  if (status == 201 || status == 202) out["Location"] = reference("headers", "Location");
  return out;
}

json::object security_schemes(const ApiInfo& info) {
  return {
      {"ApiKey", {{"type", "apiKey"}, {"in", "header"}, {"name", info.key_header}}},
      {"Bearer", {{"type", "http"}, {"scheme", "bearer"}, {"description", "The same key."}}},
      {"SignedLink",
       {{"type", "apiKey"},
        {"in", "query"},
        {"name", "signature"},
        {"description", "A link made by POST /api/v1/links."}}},
      {"QueryKey",
       {{"type", "apiKey"},
        {"in", "query"},
        {"name", "api_key"},
        {"description", "For WebSockets of browsers, which cannot set headers."}}},
      {"Ticket",
       {{"type", "apiKey"},
        {"in", "query"},
        {"name", "ticket"},
        {"description", "For WebSockets: made by POST /api/v1/ws/tickets, good once within 30 seconds."}}}};
}

json::array security_of(const http::Endpoint& endpoint) {
  json::array out;
  if (endpoint.scope == access::kPublic) return out;
  const auto way = [&](const char* scheme) {
    out.push_back(json::object{{scheme, json::array{json::string(endpoint.scope.name())}}});
  };
  way("ApiKey");
  way("Bearer");
  if (endpoint.signed_link) way("SignedLink");
  if (endpoint.websocket) way("QueryKey"), way("Ticket");
  return out;
}

// "get_api_v1_downloads_id"
std::string operation_id(const http::Endpoint& endpoint) {
  std::string id = to_lower(endpoint.method);
  for (const char c : openapi_path(endpoint.path)) {
    const bool word = std::isalnum(static_cast<unsigned char>(c)) != 0;
    if (word)
      id += c;
    else if (!id.ends_with('_'))
      id += '_';
  }
  while (id.ends_with('_')) id.pop_back();
  return id;
}

// Of the paths' placeholders.
json::array path_parameters(const http::Endpoint& endpoint) {
  json::array out;
  for (std::string_view segment : split(std::string_view(endpoint.path), '/')) {
    if (!segment.starts_with('{')) continue;
    segment = segment.substr(1, segment.size() - 2);
    const bool rest = segment.ends_with("...");
    if (rest) segment.remove_suffix(3);
    json::object parameter{{"name", segment},
                           {"in", "path"},
                           {"required", true},
                           {"schema", {{"type", "string"}, {"minLength", 1}}}};
    if (rest) parameter["description"] = "The rest of the path; it may have slashes.";
    out.push_back(std::move(parameter));
  }
  return out;
}

class Description {
 public:
  explicit Description(const ApiInfo& info) : info_(info) {}

  void add(const http::Endpoint& endpoint) {
    json::value& path = paths_[openapi_path(endpoint.path)];
    if (path.is_null()) path.emplace_object();
    path.get_object()[to_lower(endpoint.method)] = operation(endpoint);
  }

  json::object finish() && {
    json::object schemas = schemas_.components();
    schemas["Error"] = error_schema();
    return {{"openapi", "3.1.0"},
            {"info",
             {{"title", "Trawl"},
              {"version", info_.version},
              {"description",
               "Give it a URL, get the media into storage. Paths outside /api/v1 and marked as older serve "
               "clients of earlier services; docs/access.md has keys, levels and limits."},
              {"license", {{"name", "Apache 2.0"}, {"identifier", "Apache-2.0"}}}}},
            {"servers", json::array{{{"url", info_.public_url.empty() ? "/" : info_.public_url}}}},
            {"paths", std::move(paths_)},
            {"components",
             {{"schemas", std::move(schemas)},
              {"headers", header_components()},
              {"securitySchemes", security_schemes(info_)}}}};
  }

 private:
  json::object operation(const http::Endpoint& endpoint) {
    const http::Contract& contract = endpoint.contract;
    const std::string_view scope = endpoint.scope.name();
    json::object out{{"operationId", operation_id(endpoint)},
                     {"summary", endpoint.summary},
                     {"tags", json::array{json::string(scope.substr(0, scope.find(':')))}},
                     {"security", security_of(endpoint)}};
    if (endpoint.websocket) out["x-websocket"] = true;
    if (auto parameters = parameters_of(endpoint); !parameters.empty())
      out["parameters"] = std::move(parameters);
    if (!contract.body.media.empty()) out["requestBody"] = body_of(contract.body);
    out["responses"] = responses_of(endpoint);
    return out;
  }

  json::array parameters_of(const http::Endpoint& endpoint) {
    json::array out = path_parameters(endpoint);
    for (const http::Query::Group& group : endpoint.contract.query.groups) {
      for (const auto& [name, value] : group.properties(schemas_)) {
        json::object schema = value.as_object();
        json::object parameter{{"name", name}, {"in", "query"}};
        if (const json::value* text = schema.if_contains("description")) {
          parameter["description"] = *text;
          schema.erase("description");
        }
        if (std::ranges::find(group.required, std::string_view(name)) != group.required.end())
          parameter["required"] = true;
        parameter["schema"] = std::move(schema);
        out.push_back(std::move(parameter));
      }
    }
    for (const http::HeaderParameter& header : endpoint.contract.headers)
      out.push_back(json::object{{"name", header.name},
                                 {"in", "header"},
                                 {"description", header.text},
                                 {"schema", {{"type", "string"}}}});
    return out;
  }

  static json::object media_of(json::object schema, const http::Document& document) {
    json::object media{{"schema", std::move(schema)}};
    if (document.example) media["examples"] = json::object{{"example", {{"value", document.example()}}}};
    return media;
  }

  json::object body_of(const http::Body& body) {
    json::object schema = body.document.schema(schemas_);
    // Beside a reference, so that paths that ignore unknown fields share the component.
    if (body.unknown == http::Body::Unknown::refused) schema["unevaluatedProperties"] = false;
    json::object content{{body.media, media_of(std::move(schema), body.document)}};
    for (const auto& [media, document] : body.others)
      content[media] = media_of(document.schema(schemas_), document);
    return {{"required", true}, {"content", std::move(content)}};
  }

  json::object responses_of(const http::Endpoint& endpoint) {
    json::object out;
    const auto response = [&](int status, std::string_view text) -> json::object& {
      json::value& found = out[std::to_string(status)];
      if (found.is_null())
        found = json::object{{"description", text.empty() ? reason_of(status) : std::string(text)},
                             {"headers", headers_of(endpoint, status)}};
      return found.get_object();
    };
    const auto put = [](json::object& answer, const std::string& media, json::object described) {
      json::value& content = answer["content"];
      if (content.is_null()) content.emplace_object();
      json::value& known = content.get_object()[media];
      // A probe says what is wrong in its own document, others in the body of errors: either may come.
      if (!known.is_null()) {
        json::object& older = known.get_object();
        described["schema"] = json::object{{"anyOf", json::array{older["schema"], described["schema"]}}};
        if (const json::value* examples = older.if_contains("examples")) {
          json::value& all = described["examples"];
          if (all.is_null()) all.emplace_object();
          for (const auto& [name, example] : examples->as_object()) all.get_object()[name] = example;
        }
      }
      known = std::move(described);
    };
    for (const http::Answers::Answer& answer : endpoint.contract.answers.all) {
      json::object& described = response(answer.status, answer.text);
      if (answer.media.empty()) continue;
      put(described, answer.media,
          answer.document.schema ? media_of(answer.document.schema(schemas_), answer.document)
                                 : json::object{});
    }
    for (const auto& [status, codes] : all_refusals(endpoint))
      put(response(status, {}), "application/json", refusal_media(status, codes));
    return out;
  }

  const ApiInfo& info_;
  Schemas schemas_{pattern_of};
  json::object paths_;
};

}  // namespace

std::string openapi_path(std::string_view pattern) {
  std::string out(pattern);
  if (const auto dots = out.find("...}"); dots != std::string::npos) out.erase(dots, 3);
  return out;
}

json::object openapi(const std::vector<http::Endpoint>& endpoints, const ApiInfo& info) {
  Description description(info);
  for (const http::Endpoint& endpoint : endpoints) description.add(endpoint);
  return std::move(description).finish();
}

}  // namespace trawl::api
