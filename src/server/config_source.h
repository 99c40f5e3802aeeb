#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "server/config_keys.h"

namespace trawl::server {

// A value that somebody gave for a key.
struct Setting {
  const Key* key = nullptr;
  json::value value;   // As it came: text from the environment and flags, typed from a file.
  std::string origin;  // "trawl.toml:3", "TRAWL_SERVER_PORT", "--server.port"
};

// What one source holds. A problem is a line for people that stops the start; a warning does not.
struct Reading {
  std::vector<Setting> settings;
  std::vector<std::string> problems;
  std::vector<std::string> warnings;
};

using Environment = std::map<std::string, std::string>;

// Variables that are set but empty count as not set.
[[nodiscard]] Reading read_environment(const Environment& environment);
// What a hosting platform says about itself.
[[nodiscard]] Reading read_platform(const Environment& environment);
// Names without dashes: {"server.port", "8080"}. The last one of a name wins.
[[nodiscard]] Reading read_flags(const std::vector<std::pair<std::string, std::string>>& flags);
// TOML, or JSON when the name ends in ".json"; at most 1 MiB. A file that cannot be read or parsed is
// a problem like any other.
[[nodiscard]] Reading read_file(const std::filesystem::path& file);

// `key = value (origin): what` with the value masked when the key is secret.
[[nodiscard]] std::string problem_line(const Setting& setting, std::string_view what);

}  // namespace trawl::server
