#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "api/health_views.h"
#include "base/clock.h"
#include "downloads/downloads.h"
#include "engine/engine.h"
#include "http/router.h"
#include "storage/storage.h"

namespace trawl::api {

// Health, readiness and version: public, and never a reason to leak anything.
class HealthRoutes {
 public:
  struct Facts {
    std::string version, environment;
    bool works = true;  // Runs downloads; else it is of use without an engine.
    std::size_t slots = 0;
    std::int64_t low_disk_bytes = 0;
    std::function<bool()> draining;
    std::function<std::size_t()> running;
    std::function<std::optional<std::string>()> pot_provider;
  };

  HealthRoutes(downloads::Downloads& downloads, storage::ArtifactStore& storage, engine::Engine& engine,
               const Clock& clock, Facts facts);

  void add_to(http::Router& router);

 private:
  // Queue, storage and engine; the worst of them.
  struct Checks {
    HealthChecks checks;
    std::string status;  // healthy, degraded, unhealthy
  };
  Task<Checks> check();
  Task<http::Response> health(http::Request request);
  Task<http::Response> ready(http::Request request);
  Task<http::Response> live(http::Request request);
  Task<http::Response> version(http::Request request);

  downloads::Downloads& downloads_;
  storage::ArtifactStore& storage_;
  engine::Engine& engine_;
  const Clock& clock_;
  Facts facts_;
  SystemTime started_;
};

}  // namespace trawl::api
