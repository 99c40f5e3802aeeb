#pragma once

#include <expected>
#include <memory>
#include <string>

#include <boost/asio/ip/tcp.hpp>

#include "async/blocking_pool.h"
#include "async/scope.h"
#include "async/task.h"
#include "http/detail/access_log.h"
#include "http/detail/deadline.h"
#include "http/detail/request_reader.h"
#include "http/detail/response_writer.h"
#include "http/detail/websocket_session.h"
#include "http/router.h"
#include "http/server.h"

namespace trawl::http::detail {

// What the connections of one server share; outlives them.
struct ConnectionContext {
  const Router& router;
  const ServerOptions& options;
  BlockingPool& files;
  Scope& scope;
  bool stopping = false;
};

// One client's connection, from accept to close.
class Connection {
 public:
  Connection(asio::ip::tcp::socket socket, ConnectionContext& context);
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  // Serves requests one after the other until either side is done.
  [[nodiscard]] Task<void> run();
  // Answers 503 whatever is asked, then closes.
  [[nodiscard]] Task<void> turn_away();

  // Closes at once when no request is in flight; a WebSocket is told to go away.
  void drain();
  // Drops the connection whatever it does.
  void abort();

 private:
  // False when the connection is of no more use.
  [[nodiscard]] Task<bool> serve(Incoming incoming);
  class Body;
  struct Watch;

  [[nodiscard]] Task<std::expected<void, ReadFailure>> receive_body(Incoming& incoming);
  // Notices that the peer leaves, which nobody else does while a stream has nothing to send.
  [[nodiscard]] static Task<void> watch_peer(Connection& self, std::shared_ptr<Watch> watch);
  [[nodiscard]] Task<void> refuse(ReadFailure failure);
  [[nodiscard]] Task<bool> answer(const Request& request, const AccessRecord& record, Response response,
                                  bool keep_alive, bool http_1_0);
  // Speaks WebSocket, or returns why not.
  [[nodiscard]] Task<std::optional<Response>> upgrade(const WebSocketRoute& route, Request request,
                                                      const AccessRecord& record);
  [[nodiscard]] Task<void> speak_websocket(const WebSocketRoute& route, Request request);
  [[nodiscard]] Task<void> linger();

  ConnectionContext& context_;
  asio::ip::tcp::socket socket_;
  std::string remote_;
  Deadline deadline_;
  RequestReader reader_;
  ResponseWriter writer_;
  std::shared_ptr<WebSocketSession> websocket_;
  std::shared_ptr<BodyStream> stream_;  // While it is sent.
  bool in_flight_ = false;              // Between a request's first byte and the end of its answer.
  bool lingering_ = false;
};

}  // namespace trawl::http::detail
