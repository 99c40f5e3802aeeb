#pragma once

#include <cstdint>
#include <memory>
#include <string_view>

#include <boost/asio/ip/tcp.hpp>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "http/detail/deadline.h"
#include "http/detail/file_reader.h"
#include "http/detail/response_head.h"
#include "http/message.h"
#include "http/server.h"

namespace trawl::http::detail {

struct Sent {
  int status = 0;
  std::uint64_t body_bytes = 0;
  bool complete = false;  // False when the peer went away or did not read in time.
};

// Sends responses on a socket, each block within the write timeout, files block by block.
class ResponseWriter {
 public:
  // All outlive this.
  ResponseWriter(asio::ip::tcp::socket& socket, Deadline& deadline, BlockingPool& pool,
                 const ServerOptions& options)
      : socket_(socket),
        deadline_(deadline),
        pool_(pool),
        write_timeout_(options.write_timeout),
        stream_limit_(options.stream_send_limit) {}

  // Answers `request`, of which the method, the id and Accept-Encoding count; the context's lengths
  // are filled in here. A file that cannot be opened becomes an error response.
  [[nodiscard]] Task<Sent> send(const Request& request, Response response, HeadContext context);
  // False when the peer did not take it.
  [[nodiscard]] Task<bool> write(std::string_view bytes) { return write(bytes, write_timeout_); }

 private:
  struct Plan;

  [[nodiscard]] Task<Plan> plan(const Request& request, Response response);
  [[nodiscard]] Task<void> compress(const Request& request, Response& response);
  [[nodiscard]] Task<void> stream(const Request& request, FileReader& file, Sent& sent);
  [[nodiscard]] Task<void> pump(const Request& request, BodyStream& body, bool chunked, Sent& sent);
  [[nodiscard]] Task<bool> write(std::string_view bytes, std::chrono::milliseconds limit);
  [[nodiscard]] Task<bool> write_block(std::string_view block, std::chrono::milliseconds limit);

  asio::ip::tcp::socket& socket_;
  Deadline& deadline_;
  BlockingPool& pool_;
  std::chrono::milliseconds write_timeout_, stream_limit_;
};

}  // namespace trawl::http::detail
