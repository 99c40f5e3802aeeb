#pragma once

#include <string>
#include <vector>

namespace trawl::cli {

// A bash script that completes commands, their options and file names. `keys` are the settings,
// offered as --section.name to every command that takes them.
[[nodiscard]] std::string bash_completion(const std::vector<std::string>& keys);

}  // namespace trawl::cli
