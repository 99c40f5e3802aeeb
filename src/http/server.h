#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "http/cors.h"
#include "http/router.h"

namespace trawl::http {

struct ServerOptions {
  // Whom a request is from, when its peer is a proxy; Request::remote holds the peer. Empty: the peer.
  std::function<std::string(const Request&)> client_of = {};
  CorsRules cors;
  std::int64_t hsts_seconds = 0;  // Strict-Transport-Security on every answer; 0: none.
  std::string host = "0.0.0.0";
  std::uint16_t port = 8080;  // 0: any free one; Server::port() tells which.
  std::size_t max_body = 1 << 20;
  std::size_t max_header = 16 << 10;
  std::size_t max_connections = 4096;
  // Who is slow on purpose is to be gone within 30 s, so these are less.
  std::chrono::milliseconds read_timeout{25'000};   // For one request to arrive, and for an idle connection.
  std::chrono::milliseconds write_timeout{25'000};  // For the peer to take one block (256 KiB) of an answer.
  std::chrono::milliseconds stream_send_limit{10'000};    // For the peer to take one piece of a BodyStream.
  std::chrono::milliseconds websocket_send_limit{6'000};  // For a WebSocket's peer to take one message.
  std::chrono::milliseconds websocket_idle{
      40'000};  // Silence that ends a WebSocket; a ping is sent at half of it.
};

// HTTP/1.1 and WebSocket over Beast: keep-alive, request ids, an access log line per request, and
// the default headers (nosniff, no server version). Files are read on `files`' threads.
class Server {
 public:
  virtual ~Server() = default;
  // Listens and accepts until stop(). Errc::unavailable when the address cannot be bound.
  [[nodiscard]] virtual Task<Result<void>> start() = 0;
  // Stops accepting, closes idle connections, ends streams, sends WebSockets close 1001, lets requests in
  // flight finish for at most `grace`, then closes everything. Afterwards nothing of the server runs, and it
  // may be destroyed.
  [[nodiscard]] virtual Task<void> stop(std::chrono::milliseconds grace) = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

// All that is passed by reference outlives the server. Everything runs on `executor`, one thread.
[[nodiscard]] std::unique_ptr<Server> make_server(asio::any_io_executor executor, BlockingPool& files,
                                                  const Router& router, ServerOptions options);

}  // namespace trawl::http
