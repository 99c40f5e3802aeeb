#pragma once

#include <string>

#include "server/config_load.h"

namespace trawl::server {

enum class PrintFormat { toml, json };

// The effective values with who set them; secrets are masked.
[[nodiscard]] std::string print_config(const LoadedConfig& loaded, PrintFormat format);

// docs/configuration.md: every key with its default, range, variable and older names.
[[nodiscard]] std::string config_reference();

}  // namespace trawl::server
