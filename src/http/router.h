#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "http/message.h"
#include "http/websocket.h"

namespace trawl::http {

using Handler = std::function<Task<Response>(Request)>;
// Owns the connection until it returns; the request is the upgrade request.
using WebSocketHandler = std::function<Task<void>(Request, WebSocket&)>;

// Maps method and path to handlers.
//
// A pattern is literal segments, `{name}` for one segment and `{name...}` for the rest of the path.
// Literal beats `{name}` beats `{name...}`. HEAD is served by the GET handler. A known path with
// another method is 405 with Allow; an unknown path 404; both with the API's error body.
class Router {
 public:
  void add(std::string method, std::string pattern, Handler handler);
  void add_websocket(std::string pattern, WebSocketHandler handler);

  // Answers the request; a handler's exception becomes a 500 without details, logged with the id.
  [[nodiscard]] Task<Response> route(Request request) const;
  // The handler for an upgrade request, with the path parameters filled in; null when none matches.
  [[nodiscard]] const WebSocketHandler* websocket(Request& request) const;

 private:
  struct Route {
    std::string method;  // Empty for WebSocket.
    std::vector<std::string> segments;
    Handler handler;
    WebSocketHandler socket;
  };
  std::vector<Route> routes_;
};

}  // namespace trawl::http
