#pragma once

#include "sandbox/bpf.h"
#include "sandbox/confinement.h"

namespace trawl::sandbox {

struct FilterRules {
  bool broker = true;            // connect() and kill() are asked of the guard.
  bool truncate_by_path = true;  // Landlock judges it (version 3); it is refused otherwise.
};

// What install_filter() installs.
[[nodiscard]] bpf::Code filter(const FilterRules& rules);

}  // namespace trawl::sandbox
