#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "http/router.h"

namespace trawl::http {

struct ServerOptions {
  std::string host = "0.0.0.0";
  std::uint16_t port = 8080;  // 0: any free one; Server::port() tells which.
  std::size_t max_body = 1 << 20;
  std::size_t max_header = 16 << 10;
  std::size_t max_connections = 4096;
  std::chrono::seconds read_timeout{30};   // For one request to arrive, and for an idle connection.
  std::chrono::seconds write_timeout{60};  // For the peer to take one block of an answer.
};

// HTTP/1.1 and WebSocket over Beast: keep-alive, request ids, an access log line per request, and
// the default headers (nosniff, no server version). Files are read on `files`' threads.
class Server {
 public:
  virtual ~Server() = default;
  // Listens and accepts until stop(). Errc::unavailable when the address cannot be bound.
  [[nodiscard]] virtual Task<Result<void>> start() = 0;
  // Stops accepting, lets requests in flight finish for at most `grace`, then closes everything.
  [[nodiscard]] virtual Task<void> stop(std::chrono::milliseconds grace) = 0;
  [[nodiscard]] virtual std::uint16_t port() const = 0;
};

[[nodiscard]] std::unique_ptr<Server> make_server(asio::any_io_executor executor, BlockingPool& files,
                                                  const Router& router, ServerOptions options);

}  // namespace trawl::http
