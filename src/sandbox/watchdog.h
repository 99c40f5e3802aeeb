#pragma once

#include <cstdint>
#include <map>
#include <sys/types.h>

namespace trawl::sandbox {

// What the processes of one group use together.
struct Usage {
  std::uint64_t memory = 0;
  std::uint32_t processes = 0;
};

// Of those groups that are keys of `groups`. What a process shares with its parent counts for both.
void measure(std::map<pid_t, Usage>& groups);

}  // namespace trawl::sandbox
