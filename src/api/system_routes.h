#pragma once

#include "api/request_rate.h"
#include "downloads/downloads.h"
#include "engine/engine.h"
#include "http/router.h"
#include "jobs/overview.h"
#include "storage/storage.h"

namespace trawl::api {

// The system as a whole for those who run it: statistics, storage and its clean-up, settings, and the
// overviews of the older services.
class SystemRoutes {
 public:
  struct Facts {
    std::string version, role;
    std::function<std::int64_t()> requests_per_minute;
    std::function<json::value()> config;  // Every setting, secrets masked.
    // Changes settings while the server runs, all or none. Errc::invalid says which cannot be.
    std::function<Result<void>(const json::object&)> change_config;
  };
  SystemRoutes(downloads::Downloads& downloads, db::Database& database, storage::ArtifactStore& storage,
               engine::Engine& engine, jobs::Overview& overview, const Clock& clock, Facts facts)
      : downloads_(downloads),
        database_(database),
        storage_(storage),
        engine_(engine),
        overview_(overview),
        clock_(clock),
        facts_(std::move(facts)),
        started_(clock.now()) {}

  void add_to(http::Router& router);
  Task<http::Response> stats(http::Request request);

 private:
  Task<http::Response> storage_stats(http::Request request);
  Task<http::Response> clean_up(http::Request request);
  Task<http::Response> config(http::Request request);
  Task<http::Response> change_config(http::Request request);
  Task<http::Response> services(http::Request request);
  Task<http::Response> status(http::Request request);
  Task<http::Response> no_analytics(http::Request request);
  [[nodiscard]] double uptime() const;

  downloads::Downloads& downloads_;
  db::Database& database_;
  storage::ArtifactStore& storage_;
  engine::Engine& engine_;
  jobs::Overview& overview_;
  const Clock& clock_;
  Facts facts_;
  SystemTime started_;
};

}  // namespace trawl::api
