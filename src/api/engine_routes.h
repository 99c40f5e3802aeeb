#pragma once

#include "db/database.h"
#include "engine/engine.h"
#include "http/router.h"

namespace trawl::api {

// What the engine is and can do, for operators.
class EngineRoutes {
 public:
  EngineRoutes(const engine::Engine& engine, db::Database& database) : engine_(engine), database_(database) {}
  void add_to(http::Router& router);

 private:
  // GET /api/v1/admin/engine
  [[nodiscard]] Task<http::Response> show(http::Request request);

  // GET /api/v1/admin/extractors
  [[nodiscard]] Task<http::Response> extractors(http::Request request);

  const engine::Engine& engine_;
  db::Database& database_;
};

}  // namespace trawl::api
