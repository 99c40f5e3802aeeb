#include "http/router.h"

#include <algorithm>
#include <set>
#include <stdexcept>

#include <boost/asio/this_coro.hpp>
#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "http/detail/exception_text.h"

namespace trawl::http {
namespace {

std::vector<std::string> decode_path(std::string_view path) {
  std::vector<std::string> out;
  for (const std::string_view segment : split(path.substr(path.starts_with('/') ? 1 : 0), '/'))
    out.push_back(percent_decode(segment));
  return out;
}

// A segment no handler should see: NUL ends names early in C interfaces, dots climb out of folders.
bool hostile(const std::string& segment) {
  if (segment.contains('\0')) return true;
  return std::ranges::any_of(split(segment, '/'),
                             [](std::string_view part) { return part == "." || part == ".."; });
}

Response upgrade_required(const Request& request) {
  Response response = error_response(request, 426, "upgrade_required", "this path speaks WebSocket only");
  response.headers.set("Upgrade", "websocket");
  return response;
}

Response allow(Response response, const std::set<std::string>& methods) {
  response.headers.set("Allow", fmt::format("{}", fmt::join(methods, ", ")));
  return response;
}

void add_headers(Response& response, const Headers& more) {
  for (const auto& [name, value] : more.all()) response.headers.set(name, value);
}

Task<Response> admit(Gatekeeper& gate, std::shared_ptr<const Endpoint> endpoint, Handler handler,
                     Request request) {
  Gatekeeper::Admission admission = co_await gate.admit(request, *endpoint);
  Response response =
      admission.refusal ? std::move(*admission.refusal) : co_await handler(std::move(request));
  add_headers(response, admission.headers);
  co_return response;
}

Task<std::optional<Response>> admit_upgrade(Gatekeeper& gate, std::shared_ptr<const Endpoint> endpoint,
                                            WebSocketGuard guard, Request& request) {
  Gatekeeper::Admission admission = co_await gate.admit(request, *endpoint);
  std::optional<Response> refusal = std::move(admission.refusal);
  if (!refusal && guard) refusal = co_await guard(request);
  if (refusal) add_headers(*refusal, admission.headers);
  co_return refusal;
}

}  // namespace

std::vector<Router::Segment> Router::parse_pattern(const std::string& pattern) {
  const auto wrong = [&](std::string_view why) {
    throw std::logic_error(fmt::format("route '{}' {}", pattern, why));
  };
  if (!pattern.starts_with('/')) wrong("does not begin with a slash");
  std::vector<Segment> segments;
  std::set<std::string> names;
  for (std::string_view text : split(std::string_view(pattern).substr(1), '/')) {
    if (!segments.empty() && segments.back().kind == Segment::Kind::rest) wrong("goes on after its rest");
    if (!text.starts_with('{') || !text.ends_with('}')) {
      segments.push_back({Segment::Kind::literal, std::string(text)});
      continue;
    }
    text = text.substr(1, text.size() - 2);
    const bool rest = text.ends_with("...");
    if (rest) text.remove_suffix(3);
    if (text.empty()) wrong("has a placeholder without a name");
    if (!names.emplace(text).second) wrong("has a name twice");
    segments.push_back({rest ? Segment::Kind::rest : Segment::Kind::one, std::string(text)});
  }
  return segments;
}

bool Router::matches(const Route& route, const std::vector<std::string>& path) {
  const auto& segments = route.segments;
  for (std::size_t i = 0; i < segments.size(); ++i) {
    if (i >= path.size()) return false;
    if (segments[i].kind == Segment::Kind::rest) return path.size() > i + 1 || !path[i].empty();
    if (segments[i].kind == Segment::Kind::literal ? segments[i].text != path[i] : path[i].empty())
      return false;
  }
  return segments.size() == path.size();
}

bool Router::more_specific(const Route& a, const Route& b) {
  return std::ranges::lexicographical_compare(a.segments, b.segments, {}, &Segment::kind, &Segment::kind);
}

void Router::insert(Route route) {
  route.segments = parse_pattern(route.endpoint->path);
  for (const Route& known : routes_) {
    if (known.method == route.method && known.segments == route.segments) {
      throw std::logic_error(
          fmt::format("route '{} {}' is there already", route.method, route.endpoint->path));
    }
  }
  routes_.insert(std::ranges::upper_bound(routes_, route, more_specific), std::move(route));
}

void Router::add(Endpoint endpoint, Handler handler) {
  const auto shared = std::make_shared<const Endpoint>(std::move(endpoint));
  if (gate_) {
    handler = [gate = gate_, shared, handler = std::move(handler)](Request request) {
      return admit(*gate, shared, handler, std::move(request));
    };
  }
  insert({.method = shared->method,
          .endpoint = shared,
          .segments = {},
          .handler = std::move(handler),
          .socket = {}});
}

void Router::add_websocket(Endpoint endpoint, WebSocketHandler handler, WebSocketGuard guard) {
  endpoint.websocket = true;
  const auto shared = std::make_shared<const Endpoint>(std::move(endpoint));
  if (gate_) {
    guard = [gate = gate_, shared, guard = std::move(guard)](Request& request) {
      return admit_upgrade(*gate, shared, guard, request);
    };
  }
  insert({.method = {},
          .endpoint = shared,
          .segments = {},
          .handler = {},
          .socket = {std::move(handler), std::move(guard)}});
}

std::vector<Endpoint> Router::endpoints() const {
  std::vector<Endpoint> out;
  for (const Route& route : routes_) out.push_back(*route.endpoint);
  std::ranges::sort(out, {},
                    [](const Endpoint& endpoint) { return std::tie(endpoint.path, endpoint.method); });
  return out;
}

const Router::Route* Router::find(std::string_view method, const std::vector<std::string>& path) const {
  const auto found = std::ranges::find_if(
      routes_, [&](const Route& route) { return route.method == method && matches(route, path); });
  return found == routes_.end() ? nullptr : &*found;
}

void Router::bind(const Route& route, const std::vector<std::string>& path, Request& request) {
  for (std::size_t i = 0; i < route.segments.size(); ++i) {
    const Segment& segment = route.segments[i];
    if (segment.kind == Segment::Kind::one) request.path_params[segment.text] = path[i];
    if (segment.kind == Segment::Kind::rest) {
      request.path_params[segment.text] =
          fmt::format("{}", fmt::join(path.begin() + static_cast<std::ptrdiff_t>(i), path.end(), "/"));
    }
  }
}

Response Router::refuse(const Request& request, const std::vector<std::string>& path) const {
  const bool options = request.method == "OPTIONS";
  const bool everything = options && request.path == "*";
  std::set<std::string> methods;
  for (const Route& route : routes_) {
    if (!everything && !matches(route, path)) continue;
    if (route.method.empty() && request.method == "GET") return upgrade_required(request);
    methods.insert(route.method.empty() ? "GET" : route.method);
    if (route.method == "GET") methods.insert("HEAD");
  }
  if (methods.empty() && !everything)
    return error_response(request, 404, "not_found", "there is nothing at this path");
  methods.insert("OPTIONS");
  if (options) return allow({.status = 204, .headers = {}, .body = {}}, methods);
  return allow(error_response(request, 405, "method_not_allowed",
                              fmt::format("{} is not allowed here", request.method)),
               methods);
}

Task<Response> Router::route(Request request) const {
  const auto began = std::chrono::steady_clock::now();
  const auto path = decode_path(request.path);
  const Route* route = nullptr;
  Response response;
  if (std::ranges::any_of(path, hostile)) {
    response = error_response(request, 400, "bad_request", "the path has a segment that is not allowed");
  } else {
    route = find(request.method, path);
    if (!route && request.method == "HEAD") route = find("GET", path);
    if (route) {
      bind(*route, path, request);
      response = co_await answer(*route, std::move(request));
    } else {
      response = refuse(request, path);
    }
  }
  if (listener_)
    listener_(route ? route->endpoint.get() : nullptr, response.status,
              std::chrono::steady_clock::now() - began);
  co_return response;
}

Task<Response> Router::answer(const Route& route, Request request) const {
  Request known;  // What an error answer and the log need, for the handler gets the request itself.
  known.id = request.id, known.method = request.method, known.path = request.path;
  std::exception_ptr failure;
  try {
    co_return co_await route.handler(std::move(request));
  } catch (...) {
    failure = std::current_exception();
  }
  // A handler whose wait was cut by the server's stop has not failed.
  if ((co_await asio::this_coro::cancellation_state).cancelled() != asio::cancellation_type::none)
    std::rethrow_exception(failure);
  log_error("a request handler failed", {{"request_id", known.id},
                                         {"method", known.method},
                                         {"path", known.path},
                                         {"error", detail::text_of(failure)}});
  co_return error_response(known, 500, "internal_error",
                           "an internal error happened; the log has it under this request id");
}

bool Router::takes_stream(const Request& request) const {
  const Route* found = find(request.method, decode_path(request.path));
  return found && found->endpoint->streamed;
}

const WebSocketRoute* Router::websocket(Request& request) const {
  const auto path = decode_path(request.path);
  if (std::ranges::any_of(path, hostile)) return nullptr;
  const Route* found = find({}, path);
  if (!found) return nullptr;
  bind(*found, path, request);
  return &found->socket;
}

}  // namespace trawl::http
