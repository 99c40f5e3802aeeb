#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <sys/types.h>

// Does for a confined process what it may not do itself: connect to the proxy, and signal its own.
namespace trawl::sandbox {

// The job a listener belongs to.
struct Wards {
  pid_t group = 0;  // All its processes, and nobody else's.
  uid_t uid = 0;
  gid_t gid = 0;
  std::uint16_t port = 0;
  bool blind = false;
};

// Whether a socket address is 127.0.0.1:port, said in the plain way.
[[nodiscard]] bool leads_to_proxy(std::span<const char> address, std::uint16_t port);

// Answers one call that waits at `listener`. False when the listener has no process left.
//
// What the process asked for decides only between yes and no. The connection is always made to the
// same address, so it does not matter when the asker, or another thread of it, changes the question.
[[nodiscard]] bool answer_call(int listener, const Wards& wards);

}  // namespace trawl::sandbox
