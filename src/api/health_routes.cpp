#include "api/health_routes.h"

#include "access/scopes.h"

namespace trawl::api {
namespace {

// A probe answers 503 with the same document when something is wrong.
template <class View>
http::Contract probing() {
  return {.body = http::Body::none(),
          .query = http::Query::none(),
          .answers = http::Answers::json<View>().template or_json<View>(503),
          .refusals = http::Refusals::none()};
}

}  // namespace

HealthRoutes::HealthRoutes(downloads::Downloads& downloads, storage::ArtifactStore& storage,
                           engine::Engine& engine, const Clock& clock, Facts facts)
    : downloads_(downloads),
      storage_(storage),
      engine_(engine),
      clock_(clock),
      facts_(std::move(facts)),
      started_(clock.now()) {}

void HealthRoutes::add_to(http::Router& router) {
  const auto add = [&](std::initializer_list<const char*> paths, const char* summary,
                       const http::Contract& contract,
                       Task<http::Response> (HealthRoutes::*member)(http::Request)) {
    for (const char* path : paths)
      router.add(
          {.method = "GET", .path = path, .scope = access::kPublic, .summary = summary, .contract = contract},
          [this, member](http::Request request) { return (this->*member)(std::move(request)); });
  };
  add({"/api/v1/health", "/health", "/api/v1/health/detailed", "/health/detailed"}, "Health with its checks.",
      probing<HealthView>(), &HealthRoutes::health);
  add({"/api/v1/health/ready", "/readyz", "/api/v1/readyz"}, "Whether requests should be sent here.",
      probing<ProbeView>(), &HealthRoutes::ready);
  add({"/api/v1/health/live", "/healthz"}, "Whether the process lives.", shows<ProbeView>(),
      &HealthRoutes::live);
  add({"/api/v1/version", "/version"}, "Versions of Trawl and its engine.", shows<VersionView>(),
      &HealthRoutes::version);
}

Task<HealthRoutes::Checks> HealthRoutes::check() {
  Checks out{{}, "healthy"};
  const auto worsen = [&](std::string_view status) {
    if (out.status != "unhealthy") out.status = status;
  };

  QueueCheck& queue = out.checks.queue;
  queue = {.status = "healthy",
           .running_jobs = static_cast<std::int64_t>(facts_.running()),
           .max_workers = static_cast<std::int64_t>(facts_.slots)};
  if (const auto counts = co_await downloads_.counts()) {
    std::int64_t waiting = 0;
    for (const auto& [state, count] : *counts) waiting += jobs::api_status(state) == "queued" ? count : 0;
    queue.active_jobs = waiting + queue.running_jobs;
    queue.queued_jobs = waiting;
  } else {
    queue.status = "unhealthy";
    worsen("unhealthy");
  }

  StorageCheck& disk = out.checks.storage;
  disk.status = "healthy";
  if (const auto space = co_await storage_.space(); !space) {
    disk.status = "unhealthy";
    worsen("unhealthy");
  } else {
    disk.available_gb = static_cast<double>(space->available) / (1 << 30);
    disk.percent_used = space->total > 0 ? 100.0 * static_cast<double>(space->total - space->available) /
                                               static_cast<double>(space->total)
                                         : 0;
    disk.used_bytes = space->used;
    if (space->available < facts_.low_disk_bytes) {
      disk.status = "degraded";
      worsen("degraded");
    }
  }

  const engine::Versions versions = engine_.versions();
  out.checks.ytdlp = {.status = engine_.healthy() ? "healthy" : "unhealthy",
                      .version = versions.ytdlp,
                      .ffmpeg = versions.ffmpeg,
                      .js_runtimes = versions.js_runtimes,
                      .pot_providers = versions.pot_providers,
                      .pot_provider = facts_.pot_provider()};
  if (out.checks.ytdlp.pot_provider == "unreachable") {
    if (engine_.healthy()) out.checks.ytdlp.status = "degraded";
    worsen("degraded");
  }
  const engine::Sandbox sandbox = engine_.sandbox();
  const bool confined = sandbox.tier != "none";
  out.checks.sandbox = {.status = confined ? "healthy" : "degraded",
                        .tier = sandbox.tier,
                        .private_users = sandbox.private_users,
                        .network_namespace = sandbox.network_namespace,
                        .cgroups = sandbox.cgroups};
  if (!confined) worsen("degraded");
  if (!engine_.healthy())
    worsen(facts_.works ? "unhealthy" : "degraded");
  else if (versions.ffmpeg.empty())
    worsen("degraded");
  co_return out;
}

Task<http::Response> HealthRoutes::health(http::Request) {
  Checks found = co_await check();
  const int status = found.status == "unhealthy" ? 503 : 200;
  const HealthView view{.status = found.status,
                        .timestamp = clock_.now(),
                        .version = facts_.version,
                        .environment = facts_.environment,
                        .uptime_seconds = std::chrono::duration<double>(clock_.now() - started_).count(),
                        .draining = facts_.draining(),
                        .checks = std::move(found.checks)};
  co_return http::json_response(status, encode(view));
}

Task<http::Response> HealthRoutes::ready(http::Request) {
  const Checks found = co_await check();
  const bool ready = !facts_.draining() && found.status != "unhealthy";
  co_return http::json_response(ready ? 200 : 503, encode(ProbeView{ready               ? "ready"
                                                                    : facts_.draining() ? "draining"
                                                                                        : found.status}));
}

Task<http::Response> HealthRoutes::live(http::Request) {
  co_return http::json_response(200, encode(ProbeView{"alive"}));
}

Task<http::Response> HealthRoutes::version(http::Request) {
  const engine::Versions versions = engine_.versions();
  co_return http::json_response(
      200, encode(VersionView{"trawl", facts_.version, versions.ytdlp, versions.python, versions.ffmpeg}));
}

}  // namespace trawl::api
