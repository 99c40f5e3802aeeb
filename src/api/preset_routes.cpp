#include "api/preset_routes.h"

#include "access/scopes.h"
#include "api/body.h"
#include "api/common_views.h"

namespace trawl::api {
namespace {

struct PresetBody {
  std::string name;
  std::string description;
  json::object options;
};
BOOST_DESCRIBE_STRUCT(PresetBody, (), (name, description, options))

struct PresetListView {
  std::vector<downloads::Preset> presets;
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(PresetListView, (), (presets, total))

}  // namespace
}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::PresetBody> {
  static json::value make() {
    return encode(
        api::PresetBody{"archive", "Everything there is", {{"video_format", "mkv"}, {"write_nfo", true}}});
  }
};
template <>
struct trawl::Example<trawl::downloads::Preset> {
  static json::value make() {
    return encode(downloads::Preset{.name = "archive",
                                    .description = "Everything there is",
                                    .options = {{"video_format", "mkv"}, {"write_nfo", true}},
                                    .created_at = api::example_time(),
                                    .updated_at = api::example_time()});
  }
};
template <>
struct trawl::Example<trawl::api::PresetListView> {
  static json::value make() {
    return {{"presets", json::array{Example<downloads::Preset>::make()}}, {"total", 1}};
  }
};

template <>
struct trawl::Rules<trawl::api::PresetBody> {
  static constexpr FieldRule fields[] = {
      {.name = "name", .doc = "What a download asks for it by.", .example = "\"archive\""},
      {.name = "description", .doc = "For people.", .max = 500},
      {.name = "options",
       .doc = "Members of a download's body; all others stay open.",
       .required = true,
       .example = "{\"video_format\": \"mkv\"}"}};
};

namespace trawl::api {

void PresetRoutes::add_to(http::Router& router) {
  using downloads::Preset;
  const auto on = [&](const char* method, const char* path, const char* summary, http::Contract contract,
                      Task<http::Response> (PresetRoutes::*member)(http::Request)) {
    const bool reads = std::string_view(method) == "GET";
    router.add({.method = method,
                .path = path,
                .scope = reads ? access::kDownloadsRead : access::kDownloadsWrite,
                .summary = summary,
                .contract = std::move(contract)},
               [this, member](http::Request request) { return (this->*member)(std::move(request)); });
  };
  const auto stores = [](int status, http::Refusals refusals) {
    return http::Contract{.body = http::Body::json<PresetBody>(),
                          .query = http::Query::none(),
                          .answers = http::Answers::json<Preset>(status),
                          .refusals = std::move(refusals)};
  };
  on("GET", "/api/v1/presets", "List presets.", shows<PresetListView>(), &PresetRoutes::list);
  on("POST", "/api/v1/presets", "Create a preset.",
     stores(201, http::Refusals::of(
                     {{409, "preset_exists"}, {422, "validation_error"}, {429, "too_many_presets"}})),
     &PresetRoutes::create);
  on("GET", "/api/v1/presets/{name}", "Show a preset.", shows_one<Preset>(), &PresetRoutes::show);
  on("PUT", "/api/v1/presets/{name}", "Create or replace a preset.",
     stores(200, http::Refusals::of({{422, "validation_error"}, {429, "too_many_presets"}})),
     &PresetRoutes::replace);
  on("DELETE", "/api/v1/presets/{name}", "Delete a preset.", shows_one<DeletedView>(), &PresetRoutes::remove);
}

Task<http::Response> PresetRoutes::list(http::Request request) {
  auto presets = co_await presets_.list(request.caller.owner);
  if (!presets) co_return http::error_response(request, presets.error());
  const auto total = std::ssize(*presets);
  co_return http::json_response(200, encode(PresetListView{std::move(*presets), total}));
}

Task<http::Response> PresetRoutes::show(http::Request request) {
  const auto preset = co_await presets_.find(request.caller.owner, request.path_param("name"));
  if (!preset) co_return http::error_response(request, preset.error());
  co_return http::json_response(200, encode(*preset));
}

Task<http::Response> PresetRoutes::create(http::Request request) {
  auto body = read_body<PresetBody>(request, {});
  if (!body) co_return std::move(body.error());
  co_return co_await store(
      std::move(request),
      {.name = body->name, .description = body->description, .options = std::move(body->options)}, false);
}

Task<http::Response> PresetRoutes::replace(http::Request request) {
  auto body = read_body<PresetBody>(request, {});
  if (!body) co_return std::move(body.error());
  std::string name = request.path_param("name");
  co_return co_await store(
      std::move(request),
      {.name = std::move(name), .description = body->description, .options = std::move(body->options)}, true);
}

Task<http::Response> PresetRoutes::store(http::Request request, downloads::Preset preset, bool replace) {
  if (const auto wrong = downloads::check_preset_name(preset.name))
    co_return problem_response(request, {{{"name"}, *wrong, "value_error"}});
  auto problems = downloads::check_preset_options(preset.options);
  for (Problem& problem : problems) problem.loc.insert(problem.loc.begin(), "options");
  if (!problems.empty()) co_return problem_response(request, problems);
  const std::string owner = request.caller.owner;
  const auto stored = co_await presets_.put(owner, std::move(preset), replace);
  if (!stored) co_return http::error_response(request, stored.error());
  http::Response response = http::json_response(replace ? 200 : 201, encode(*stored));
  if (!replace) response.headers.set("Location", "/api/v1/presets/" + stored->name);
  co_return response;
}

Task<http::Response> PresetRoutes::remove(http::Request request) {
  const std::string name = request.path_param("name");
  const auto removed = co_await presets_.remove(request.caller.owner, name);
  if (!removed) co_return http::error_response(request, removed.error());
  co_return http::json_response(
      200, encode(DeletedView{name, "preset", "deleted", "the preset is deleted", clock_.now()}));
}

Task<std::expected<void, http::Response>> apply_preset(downloads::Presets& presets, http::Request& request) {
  using Applied = std::expected<void, http::Response>;
  auto document = parse_json(request.body.empty() ? "{}" : request.body);
  if (!document || !document->is_object()) co_return Applied();
  auto body = co_await presets.apply(request.caller.owner, std::move(document->get_object()));
  if (!body && body.error().reason == "unknown_preset")
    co_return std::unexpected(problem_response(request, {{{"preset"}, body.error().message, "value_error"}}));
  if (!body) co_return std::unexpected(http::error_response(request, body.error()));
  request.body = json::serialize(*body);
  co_return Applied();
}

}  // namespace trawl::api
