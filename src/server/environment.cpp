#include "server/environment.h"

#include <string_view>
#include <unistd.h>

namespace trawl::server {

std::map<std::string, std::string> environment() {
  std::map<std::string, std::string> out;
  for (char** entry = environ; entry && *entry; ++entry) {
    const std::string_view line = *entry;
    if (const auto equals = line.find('='); equals != std::string_view::npos) {
      out.emplace(line.substr(0, equals), line.substr(equals + 1));
    }
  }
  return out;
}

}  // namespace trawl::server
