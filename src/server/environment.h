#pragma once

#include <map>
#include <string>

namespace trawl::server {

// The process's environment; read here and nowhere else.
[[nodiscard]] std::map<std::string, std::string> environment();

}  // namespace trawl::server
