#pragma once

#include "engine/engine.h"
#include "server/config.h"

namespace trawl::server {

// How to start the engine that belongs to this program.
[[nodiscard]] engine::EngineOptions engine_options(const Config& config);

}  // namespace trawl::server
