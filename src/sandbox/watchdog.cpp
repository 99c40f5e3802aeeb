#include "sandbox/watchdog.h"

#include <cstdlib>
#include <dirent.h>
#include <string>
#include <unistd.h>

#include "sandbox/process_view.h"

namespace trawl::sandbox {

void measure(std::map<pid_t, Usage>& groups) {
  DIR* listing = ::opendir("/proc");
  if (!listing) return;
  while (const dirent* entry = ::readdir(listing)) {
    const pid_t pid = std::atoi(entry->d_name);
    if (pid <= 0) continue;
    const auto found = groups.find(::getpgid(pid));
    if (found == groups.end()) continue;
    found->second.memory += parse_own_memory(read_proc("/proc/" + std::to_string(pid) + "/status"));
    ++found->second.processes;
  }
  ::closedir(listing);
}

}  // namespace trawl::sandbox
