#include "api/system_routes.h"

#include <fmt/format.h>

#include "access/scopes.h"
#include "api/paging.h"
#include "api/queries.h"
#include "api/system_views.h"
#include "base/log.h"
#include "downloads/job_totals.h"

namespace trawl::api {
namespace {

struct Queue {
  std::int64_t total = 0, queued = 0, running = 0, failed = 0, completed = 0;
  std::map<std::string, std::int64_t> by_status;
};

Queue queue_of(const std::map<jobs::State, std::int64_t>& counts) {
  Queue out;
  for (const auto& [state, name] : EnumText<jobs::State>::names) {
    const auto found = counts.find(state);
    const std::int64_t count = found == counts.end() ? 0 : found->second;
    out.by_status[std::string(jobs::api_status(state))] += count;
    out.total += count;
  }
  out.queued = out.by_status["queued"];
  out.running = out.by_status["running"];
  out.failed = out.by_status["failed"];
  out.completed = out.by_status["completed"];
  return out;
}

double percent_of(std::int64_t part, std::int64_t all) {
  return all == 0 ? 100.0 : 100.0 * static_cast<double>(part) / static_cast<double>(all);
}

std::vector<TaskView> tasks_of(const std::vector<jobs::Held>& held) {
  std::vector<TaskView> out;
  for (const jobs::Held& run : held) {
    out.push_back({.task_id = fmt::format("{}.{}", run.job.str(), run.epoch),
                   .job_id = run.job.str(),
                   .worker = run.worker,
                   .status = "running",
                   .phase = run.phase,
                   .started_at = run.claimed_at});
  }
  return out;
}

json::object settings_schema(Schemas&) {
  json::array levels;
  for (const auto& [level, name] : EnumText<LogLevel>::names) levels.push_back(json::string(name));
  return {{"type", "object"},
          {"properties", json::object{{"log.level", {{"type", "string"}, {"enum", std::move(levels)}}}}},
          {"minProperties", 1},
          {"additionalProperties", false}};
}

http::Contract changing() {
  http::Contract contract = shows<ConfigView>(http::Refusals::of({{422, "not_changeable"}}));
  contract.body = http::Body::other("application/json", settings_schema);
  contract.body.document.example = [] { return json::value{{"log.level", "debug"}}; };
  return contract;
}

http::Contract cleaning() {
  return {.body = http::Body::none(),
          .query = http::Query::of<DaysQuery>(),
          .answers = http::Answers::json<CleanUpView>(),
          .refusals = http::Refusals::of({{422, "validation_error"}, {503, http::kAnyCode}})};
}

http::Contract missing() {
  return {.body = http::Body::none(),
          .query = http::Query::none(),
          .answers = http::Answers::none(),
          .refusals = http::Refusals::of({{501, "not_available"}})};
}

}  // namespace

void SystemRoutes::add_to(http::Router& router) {
  using access::kStatsRead, access::kSystemManage, access::kSystemRead;
  const auto add = [&](const char* method, std::initializer_list<std::string> paths, http::AccessScope scope,
                       const char* summary, const http::Contract& contract,
                       Task<http::Response> (SystemRoutes::*member)(http::Request)) {
    for (const std::string& path : paths) {
      router.add({.method = method, .path = path, .scope = scope, .summary = summary, .contract = contract},
                 [this, member](http::Request request) { return (this->*member)(std::move(request)); });
    }
  };
  add("GET", {"/api/v1/stats", "/api/v1/health/stats", "/stats"}, kStatsRead,
      "Statistics of the whole system.", shows<StatsView>(), &SystemRoutes::stats);
  add("GET", {"/api/v1/storage/stats", "/storage/stats"}, kSystemRead,
      "How much is stored, and how much room there is.", shows<StorageStatsView>(),
      &SystemRoutes::storage_stats);
  add("POST", {"/api/v1/storage/cleanup", "/storage/cleanup", "/cleanup", "/maintenance/cleanup"},
      kSystemManage, "Remove what expired or was left behind, and with days=30 what is older.", cleaning(),
      &SystemRoutes::clean_up);
  add("GET", {"/api/v1/admin/config", "/config"}, kSystemRead, "Show the settings, secrets masked.",
      shows<ConfigView>(), &SystemRoutes::config);
  add("PUT", {"/api/v1/admin/config", "/config"}, kSystemManage,
      "Change settings that can be changed while the server runs.", changing(), &SystemRoutes::change_config);
  add("GET", {"/services"}, kSystemRead, "List the services of the system (older path).",
      shows<ServicesView>(), &SystemRoutes::services);
  add("GET", {"/status"}, kSystemRead, "Show the queue and what runs (older path).", shows<OverallView>(),
      &SystemRoutes::status);
  for (const std::string base : {"/api/v1/analytics/", "/analytics/"}) {
    for (const char* name : {"metrics", "trends", "popular", "performance", "reports/summary",
                             "reports/performance", "reports/usage", "reports/downloads"})
      add("GET", {base + name}, kStatsRead, "Analytics, which this version does not have.", missing(),
          &SystemRoutes::no_analytics);
  }
}

double SystemRoutes::uptime() const {
  return std::chrono::duration<double>(clock_.now() - started_).count();
}

Task<http::Response> SystemRoutes::stats(http::Request request) {
  const auto counts = co_await downloads_.counts();
  if (!counts) co_return http::error_response(request, counts.error());
  const auto totals = co_await downloads::job_totals(database_, clock_.now());
  if (!totals) co_return http::error_response(request, totals.error());
  const auto space = co_await storage_.space();
  if (!space) co_return http::error_response(request, space.error());
  const auto files = co_await storage_.list({.limit = 1});
  if (!files) co_return http::error_response(request, files.error());
  Queue queue = queue_of(*counts);
  const engine::Versions versions = engine_.versions();
  co_return http::json_response(
      200, encode(StatsView{.total_downloads = queue.total,
                            .total_jobs = queue.total,
                            .total_bytes_downloaded = totals->bytes,
                            .active_downloads = queue.running,
                            .queued_downloads = queue.queued,
                            .queue_size = queue.queued,
                            .failed_downloads = queue.failed,
                            .completed_downloads = queue.completed,
                            .success_rate = percent_of(queue.completed, queue.completed + queue.failed),
                            .average_download_time = totals->average_seconds,
                            .jobs_by_status = std::move(queue.by_status),
                            .active_files = files->total,
                            .storage_used_bytes = space->used,
                            .storage_available_bytes = space->available,
                            .uptime_seconds = uptime(),
                            .started_at = started_,
                            .requests_per_minute = facts_.requests_per_minute(),
                            .ytdlp_version = versions.ytdlp,
                            .python_version = versions.python,
                            .timestamp = clock_.now()}));
}

Task<http::Response> SystemRoutes::storage_stats(http::Request request) {
  const auto space = co_await storage_.space();
  if (!space) co_return http::error_response(request, space.error());
  const auto files = co_await storage_.list({.limit = 1});
  if (!files) co_return http::error_response(request, files.error());
  co_return http::json_response(200, encode(StorageStatsView{.total_files = files->total,
                                                             .total_size_bytes = files->bytes,
                                                             .used_bytes = space->used,
                                                             .free_space = space->available,
                                                             .available_bytes = space->available,
                                                             .total_bytes = space->total,
                                                             .timestamp = clock_.now()}));
}

Task<http::Response> SystemRoutes::clean_up(http::Request request) {
  const auto days = read_number(request, "days", 0, 0, 36'500);
  if (!days) co_return http::error_response(request, 422, days.error().reason, days.error().message);
  storage::ArtifactStore::Removed removed;
  if (*days > 0) {
    const auto older = co_await storage_.remove_older(clock_.now() - std::chrono::hours(24 * *days));
    if (!older) co_return http::error_response(request, older.error());
    removed = *older;
  }
  const auto swept = co_await storage_.sweep();
  if (!swept) co_return http::error_response(request, swept.error());
  log_info("the storage was cleaned up", {{"days", *days},
                                          {"files", removed.files},
                                          {"swept", *swept},
                                          {"by", request.caller.key},
                                          {"request_id", request.id}});
  co_return http::json_response(
      200, encode(CleanUpView{
               .deleted_files = removed.files,
               .freed_bytes = removed.bytes,
               .swept = static_cast<std::int64_t>(*swept),
               .message = fmt::format("{} files were deleted, {} leftovers removed", removed.files, *swept),
               .timestamp = clock_.now()}));
}

Task<http::Response> SystemRoutes::config(http::Request) {
  co_return http::json_response(200, encode(ConfigView{facts_.config()}));
}

Task<http::Response> SystemRoutes::change_config(http::Request request) {
  const auto body = parse_json(request.body);
  if (!body) co_return http::error_response(request, body.error());
  if (!body->is_object() || body->as_object().empty())
    co_return http::error_response(request, 422, "validation_error",
                                   "the body must be an object of settings");
  if (const auto changed = facts_.change_config(body->as_object()); !changed)
    co_return http::error_response(request, 422, changed.error().reason, changed.error().message);
  log_info("settings were changed", {{"by", request.caller.key}, {"request_id", request.id}});
  co_return http::json_response(200, encode(ConfigView{facts_.config()}));
}

Task<http::Response> SystemRoutes::services(http::Request request) {
  const auto held = co_await overview_.held();
  if (!held) co_return http::error_response(request, held.error());
  const auto space = co_await storage_.space();
  ServicesView view{.status = "healthy",
                    .role = facts_.role,
                    .services = {},
                    .unhealthy_services = {},
                    .timestamp = clock_.now()};
  const auto add = [&](const char* name, bool healthy, json::object metrics) {
    view.services[name] = {.service = name,
                           .status = healthy ? "healthy" : "unhealthy",
                           .timestamp = view.timestamp,
                           .version = facts_.version,
                           .uptime = uptime(),
                           .metrics = std::move(metrics),
                           .dependencies = {"database"}};
    if (healthy) return;
    view.unhealthy_services.emplace_back(name);
    view.status = "degraded";
  };
  add("gateway", true, {{"requests_per_minute", facts_.requests_per_minute()}});
  add("manager", true, {});
  add("worker", facts_.role == "gateway" || engine_.healthy(), {{"running", held->size()}});
  add("storage", space.has_value(), {{"used_bytes", space ? json::value(space->used) : json::value()}});
  co_return http::json_response(200, encode(view));
}

Task<http::Response> SystemRoutes::status(http::Request request) {
  const auto counts = co_await downloads_.counts();
  if (!counts) co_return http::error_response(request, counts.error());
  const auto held = co_await overview_.held();
  if (!held) co_return http::error_response(request, held.error());
  const Queue queue = queue_of(*counts);
  co_return http::json_response(200, encode(OverallView{.job_queue = {.queue_length = queue.queued,
                                                                      .active_jobs = queue.running,
                                                                      .total_jobs = queue.total},
                                                        .active_downloads = tasks_of(*held),
                                                        .analytics = {},
                                                        .timestamp = clock_.now()}));
}

Task<http::Response> SystemRoutes::no_analytics(http::Request request) {
  co_return http::error_response(
      request, 501, "not_available",
      "this version keeps no analytics; GET /api/v1/stats and GET /api/v1/admin/stats count what there is");
}

}  // namespace trawl::api
