#include "base/failpoint.h"

#ifdef TRAWL_HAS_FAILPOINTS

#include <atomic>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unistd.h>

namespace trawl {
namespace {

struct Armed {
  std::string name;
  std::atomic<int> left{1};

  Armed() {
    const char* text = std::getenv("FAILPOINT");
    const std::string_view wanted = text ? text : "";
    name = wanted.substr(0, wanted.find('@'));
    if (const auto at = wanted.find('@'); at != std::string_view::npos) left = std::atoi(text + at + 1);
  }
};

}  // namespace

void failpoint(const char* name) {
  static Armed armed;
  if (!armed.name.empty() && armed.name == name && --armed.left == 0) ::_exit(kFailpointStatus);
}

}  // namespace trawl

#endif
