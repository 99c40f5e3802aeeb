#pragma once

#include <functional>
#include <optional>
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
// Looks at an upgrade request before it is accepted; a response refuses it (401, 403).
using WebSocketGuard = std::function<Task<std::optional<Response>>(Request)>;

// Looks at every request that has a route, upgrades included, before its handler; a response refuses
// it. For what concerns all routes, such as API keys.
using Admission = std::function<std::optional<Response>(const Request&, bool upgrade)>;

struct WebSocketRoute {
  WebSocketHandler handler;
  WebSocketGuard guard;  // May be empty.
};

// Maps method and path to handlers.
//
// A pattern is literal segments, `{name}` for one segment and `{name...}` for the rest of the path.
// Literal beats `{name}` beats `{name...}`, segment by segment; neither placeholder matches nothing.
// HEAD is served by the GET handler, OPTIONS answered with Allow unless a handler took it. A known
// path with another method is 405 with Allow; an unknown path 404; a path with NUL, "." or ".." once
// decoded 400; a plain GET of a WebSocket's path 426; all with the API's error body.
class Router {
 public:
  explicit Router(Admission admission = {}) : admission_(std::move(admission)) {}

  // A pattern that cannot be matched (no leading slash, a name twice, text after `{name...}`) or that
  // is there already is a bug: std::logic_error.
  void add(std::string method, std::string pattern, Handler handler);
  void add_websocket(std::string pattern, WebSocketHandler handler, WebSocketGuard guard = {});

  // Answers the request; a handler's exception becomes a 500 without details, logged with the id.
  [[nodiscard]] Task<Response> route(Request request) const;
  // The route for an upgrade request, with the path parameters filled in; null when none matches.
  [[nodiscard]] const WebSocketRoute* websocket(Request& request) const;

 private:
  struct Segment {
    enum class Kind { literal, one, rest } kind;
    std::string text;  // The literal or the name.
    friend bool operator==(const Segment&, const Segment&) = default;
  };
  struct Route {
    std::string method;  // Empty for WebSocket.
    std::vector<Segment> segments;
    Handler handler;
    WebSocketRoute socket;
  };

  static std::vector<Segment> parse_pattern(const std::string& pattern);
  static bool matches(const Route& route, const std::vector<std::string>& path);
  static bool more_specific(const Route& a, const Route& b);
  void insert(Route route, const std::string& pattern);
  // The best route for exactly this method; null when there is none.
  [[nodiscard]] const Route* find(std::string_view method, const std::vector<std::string>& path) const;
  static void bind(const Route& route, const std::vector<std::string>& path, Request& request);
  // Answers what no handler takes.
  [[nodiscard]] Response refuse(const Request& request, const std::vector<std::string>& path) const;

  Admission admission_;
  std::vector<Route> routes_;  // From specific to general: the first match is the best.
};

}  // namespace trawl::http
