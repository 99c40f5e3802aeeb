#pragma once

#include <expected>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "async/task.h"
#include "http/detail/deadline.h"
#include "http/message.h"
#include "http/server.h"

namespace trawl::http::detail {

// A request whose head has arrived.
struct Incoming {
  Request request;  // Without its body.
  bool http_1_0 = false;
  bool keep_alive = false;
  bool expects_continue = false;  // The client waits for "100 Continue" before it sends the body.
};

// Why no request came of what was read. The connection is of no more use.
struct ReadFailure {
  int status = 0;  // Zero when nobody is left to answer: the peer went away or never asked.
  std::string code;
  std::string message;
  Request request;  // What is known of it: at least the id.
};

// Reads requests off a socket one after the other, and keeps what came too early for the next one.
class RequestReader {
 public:
  // All outlive this. `deadline` is armed here and left armed on return.
  RequestReader(asio::ip::tcp::socket& socket, Deadline& deadline, const ServerOptions& options);
  ~RequestReader();

  // True when not one byte of the next request is here.
  [[nodiscard]] bool at_start() const;

  // Waits for the next request's head.
  [[nodiscard]] Task<std::expected<Incoming, ReadFailure>> read_head();
  // Whether the body that belongs to the last head may be as long as it says. A failure has no `request`,
  // here and below.
  [[nodiscard]] std::expected<void, ReadFailure> check_body() const;
  // Reads the body that belongs to the last head.
  [[nodiscard]] Task<std::expected<std::string, ReadFailure>> read_body();
  // The same piece by piece, whatever its length: the next 16 KiB or more, less only at the end, where it
  // is empty.
  [[nodiscard]] Task<std::expected<std::string, ReadFailure>> read_piece();
  [[nodiscard]] bool body_done() const;

 private:
  struct Parser;

  [[nodiscard]] Task<std::expected<void, ReadFailure>> fill();
  [[nodiscard]] Task<std::expected<std::size_t, ReadFailure>> await_head();
  [[nodiscard]] std::expected<Incoming, ReadFailure> parse_head(std::size_t size);
  // Reads on until `wanted` bytes of the body are here or it has ended.
  [[nodiscard]] Task<std::expected<void, ReadFailure>> advance(std::size_t wanted);

  asio::ip::tcp::socket& socket_;
  Deadline& deadline_;
  const ServerOptions& options_;
  std::unique_ptr<Parser> parser_;
};

}  // namespace trawl::http::detail
