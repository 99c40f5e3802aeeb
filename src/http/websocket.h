#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/result.h"

namespace trawl::http {

// One accepted WebSocket connection (RFC 6455), text messages of at most 64 KiB in.
// send and receive may be in flight at the same time, one of each.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // Errc::timeout when the peer does not read for 10 s (the connection is then of no more use),
  // Errc::unavailable when it is gone.
  [[nodiscard]] virtual Task<Result<void>> send(std::string text) = 0;
  // Nothing when the peer closed or the connection broke.
  [[nodiscard]] virtual Task<std::optional<std::string>> receive() = 0;
  virtual Task<void> close(std::uint16_t code, std::string reason) = 0;
};

}  // namespace trawl::http
