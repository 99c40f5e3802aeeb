#pragma once

#include <chrono>
#include <optional>
#include <string>

#include "async/task.h"
#include "base/result.h"

namespace trawl::http {

// One accepted WebSocket connection (RFC 6455), text messages of at most 64 KiB in.
// send and receive may be in flight at the same time, one of each. Giving up on a receive (a timeout,
// an `||`) leaves the connection as it is. Pings and the peer's close are seen also while nobody
// receives, as long as fewer than 16 messages wait.
class WebSocket {
 public:
  virtual ~WebSocket() = default;
  // Errc::timeout when the peer does not read for ServerOptions::websocket_send_limit (the connection
  // is then of no more use), Errc::unavailable when it is gone, Errc::conflict when a send is already in
  // flight.
  [[nodiscard]] virtual Task<Result<void>> send(std::string text) = 0;
  // Nothing when the peer closed or the connection broke.
  [[nodiscard]] virtual Task<std::optional<std::string>> receive() = 0;
  // Says goodbye (RFC 6455 7.4) and waits for the peer to agree, bounded by the send limit. A receive
  // in flight returns nothing. Harmless when the connection is closed already.
  [[nodiscard]] virtual Task<void> close(std::uint16_t code, std::string reason) = 0;
};

}  // namespace trawl::http
