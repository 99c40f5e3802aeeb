#pragma once

#include "engine/engine.h"
#include "http/router.h"

namespace trawl::api {

// What the engine is and can do, for operators.
class EngineRoutes {
 public:
  explicit EngineRoutes(const engine::Engine& engine) : engine_(engine) {}
  void add_to(http::Router& router);

 private:
  // GET /api/v1/admin/engine
  [[nodiscard]] Task<http::Response> show(http::Request request);

  const engine::Engine& engine_;
};

}  // namespace trawl::api
