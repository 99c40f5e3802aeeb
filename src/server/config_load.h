#pragma once

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "server/config.h"
#include "server/config_source.h"

namespace trawl::server {

// Where settings come from, weakest first.
struct Sources {
  std::optional<std::filesystem::path> file = {};
  Environment env = {};
  std::vector<std::pair<std::string, std::string>> flags = {};  // Names without dashes.
};

struct LoadedConfig {
  Config config;
  // Who set a key: "trawl.toml:3", "TRAWL_SERVER_PORT", "PORT", "--server.port". Absent: the default.
  std::map<std::string, std::string> origins;
  std::vector<std::string> warnings;  // Lines for the caller to log: deprecated names and the like.
};

// The effective configuration. Errc::invalid when any source holds something wrong, also something
// a stronger source overrides: one line per problem, naming key, value, origin and range.
[[nodiscard]] Result<LoadedConfig> load_config(const Sources& sources);

// The file to read: `given`, which must exist, else ./trawl.toml, else /etc/trawl/trawl.toml, else none.
// `root` and `working` stand for / and the current folder.
[[nodiscard]] Result<std::optional<std::filesystem::path>> find_config_file(
    const std::optional<std::filesystem::path>& given, const std::filesystem::path& working = ".",
    const std::filesystem::path& root = "/");

}  // namespace trawl::server
