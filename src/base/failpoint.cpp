#include "base/failpoint.h"

#ifdef TRAWL_HAS_FAILPOINTS

#include <atomic>
#include <csignal>
#include <cstdlib>
#include <string>
#include <string_view>
#include <unistd.h>

namespace trawl {
namespace {

struct Armed {
  std::string name;
  std::atomic<int> left{1};
  bool stops = false;

  Armed() {
    const char* text = std::getenv("FAILPOINT");
    const std::string_view wanted = text ? text : "";
    name = wanted.substr(0, wanted.find('@'));
    if (const auto at = wanted.find('@'); at != std::string_view::npos) left = std::atoi(text + at + 1);
    stops = wanted.ends_with(":stop");
  }
};

}  // namespace

void failpoint(const char* name) {
  static Armed armed;
  if (armed.name.empty() || armed.name != name || --armed.left != 0) return;
  if (!armed.stops) ::_exit(kFailpointStatus);
  ::raise(SIGSTOP);
}

}  // namespace trawl

#endif
