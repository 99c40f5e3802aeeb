#pragma once

#include <cstdint>

namespace trawl::sandbox {

// What a confined child tells the guard before it starts to work, in one packet with the listener and,
// perhaps, its output. Who sent it the kernel says.
struct Registration {
  std::uint64_t memory = 0;
  std::uint32_t processes = 0;
  std::uint16_t port = 0;
  std::uint16_t blind = 0;
};

}  // namespace trawl::sandbox
