#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/task.h"
#include "http/contract.h"
#include "http/message.h"
#include "http/websocket.h"

namespace trawl::http {

using Handler = std::function<Task<Response>(Request)>;
// Owns the connection until it returns; the request is the upgrade request.
using WebSocketHandler = std::function<Task<void>(Request, WebSocket&)>;
// Looks at an upgrade request before it is accepted; a response refuses it (401, 403). What it writes
// into the request reaches the handler.
using WebSocketGuard = std::function<Task<std::optional<Response>>(Request&)>;

// The right a route asks of its callers. Here it is only a name that is passed on; what the names mean
// is in access/scopes.h. It has no default, so a route that does not say who may call it does not
// compile.
class AccessScope {
 public:
  constexpr explicit AccessScope(std::string_view name) : name_(name) {}
  [[nodiscard]] constexpr std::string_view name() const { return name_; }
  friend constexpr bool operator==(const AccessScope&, const AccessScope&) = default;

 private:
  std::string_view name_;
};

// What a route says of itself.
struct Endpoint {
  std::string method;  // "GET", also for a WebSocket.
  std::string path;    // A pattern, see Router.
  AccessScope scope;
  std::string summary;       // What it does, in one line for people.
  Contract contract;         // What it takes and gives.
  std::string limit = {};    // The name of the rate limit it has beside those of its caller; may be empty.
  bool signed_link = false;  // A link somebody signed stands in for a key; the handler checks it.
  bool websocket = false;
  bool streamed = false;  // The body is not read beforehand: Request::stream gives it, without a limit.
};

// Stands before every route, upgrades included: API keys, limits, overload.
class Gatekeeper {
 public:
  virtual ~Gatekeeper() = default;

  struct Admission {
    std::optional<Response> refusal = {};  // Sent in place of what the handler would have said.
    Headers headers = {};                  // Added to the answer, whoever gives it.
    std::shared_ptr<void> held = {};       // Dropped when the handler has answered.
  };
  // Says who sends the request (Request::caller) and whether `endpoint` is open to them.
  [[nodiscard]] virtual Task<Admission> admit(Request& request, const Endpoint& endpoint) = 0;
};

// Hears of every answer to a plain request: its route (null when no route took it), its status, and how long
// it took to make, without the sending of its body.
using AnswerListener =
    std::function<void(const Endpoint* route, int status, std::chrono::steady_clock::duration took)>;

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
  // `gate` outlives the router; without one everything is let through.
  explicit Router(Gatekeeper* gate = nullptr) : gate_(gate) {}

  // A pattern that cannot be matched (no leading slash, a name twice, text after `{name...}`) or that
  // is there already is a bug: std::logic_error.
  void add(Endpoint endpoint, Handler handler);
  void add_websocket(Endpoint endpoint, WebSocketHandler handler, WebSocketGuard guard = {});

  void on_answer(AnswerListener listener) { listener_ = std::move(listener); }

  // Everything that was added, by path and method.
  [[nodiscard]] std::vector<Endpoint> endpoints() const;

  // Answers the request; a handler's exception becomes a 500 without details, logged with the id.
  [[nodiscard]] Task<Response> route(Request request) const;
  // Whether the route of `request` takes its body as a stream.
  [[nodiscard]] bool takes_stream(const Request& request) const;
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
    std::shared_ptr<const Endpoint> endpoint;
    std::vector<Segment> segments;
    Handler handler;
    WebSocketRoute socket;
  };

  static std::vector<Segment> parse_pattern(const std::string& pattern);
  static bool matches(const Route& route, const std::vector<std::string>& path);
  static bool more_specific(const Route& a, const Route& b);
  void insert(Route route);
  // The best route for exactly this method; null when there is none.
  [[nodiscard]] const Route* find(std::string_view method, const std::vector<std::string>& path) const;
  static void bind(const Route& route, const std::vector<std::string>& path, Request& request);
  [[nodiscard]] Task<Response> answer(const Route& route, Request request) const;
  // Answers what no handler takes.
  [[nodiscard]] Response refuse(const Request& request, const std::vector<std::string>& path) const;

  Gatekeeper* gate_;
  AnswerListener listener_;
  std::vector<Route> routes_;  // From specific to general: the first match is the best.
};

}  // namespace trawl::http
