#pragma once

#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "async/scope.h"
#include "async/task.h"
#include "http/message.h"
#include "http/server.h"
#include "http/websocket.h"

namespace trawl::http::detail {

// Why an upgrade request cannot be accepted (RFC 6455 4.2.1), as the answer to it; nothing when it can.
[[nodiscard]] std::optional<Response> refuse_handshake(const Request& request);

// The server's side of a WebSocket.
class WebSocketSession : public WebSocket {
 public:
  // Shakes hands and begins to read. False when the peer went away meanwhile.
  [[nodiscard]] virtual Task<bool> accept(Request request) = 0;
  // Closes with 1001 in the background: the server stops. Does nothing before accept() has returned.
  virtual void go_away() = 0;
  // Drops the connection; whatever waits on it ends.
  virtual void abort() = 0;
};

// Its background work runs in `scope`, which outlives the session.
[[nodiscard]] std::shared_ptr<WebSocketSession> make_websocket_session(asio::ip::tcp::socket socket,
                                                                       Scope& scope,
                                                                       const ServerOptions& options);

}  // namespace trawl::http::detail
