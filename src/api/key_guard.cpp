#include "api/key_guard.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::api {
namespace {

bool harmless(std::string_view method) {
  return method == "GET" || method == "HEAD" || method == "OPTIONS";
}

http::Response unauthorized(const http::Request& request, const Error& error) {
  http::Response response = http::error_response(request, error);
  response.headers.set("WWW-Authenticate", "ApiKey, Bearer");
  return response;
}

http::Response forbidden(const http::Request& request, const access::Identity& identity,
                         const http::Endpoint& endpoint) {
  const std::string who =
      identity.level ? fmt::format("a key of level {}", to_text(*identity.level)) : "a request without a key";
  return http::error_response(request, 403, "scope_missing",
                              fmt::format("{} may not do this: it needs {}", who, endpoint.scope.name()));
}

http::Response busy(const http::Request& request) {
  http::Response response =
      http::error_response(request, 503, "overloaded", "the server works on as many requests as it can");
  response.headers.set("Retry-After", "1");
  return response;
}

// One of the requests that are worked on.
class Place {
 public:
  explicit Place(std::shared_ptr<std::size_t> count) : count_(std::move(count)) { ++*count_; }
  ~Place() { --*count_; }
  Place(const Place&) = delete;
  Place& operator=(const Place&) = delete;

 private:
  std::shared_ptr<std::size_t> count_;
};

}  // namespace

bool foreign_origin(const http::Request& request, const std::vector<std::string>& allowed) {
  const auto origin = request.headers.find("Origin");
  if (!origin) return false;
  if (std::ranges::find(allowed, *origin) != allowed.end()) return false;
  const auto host = request.headers.find("Host").value_or("");
  const auto scheme = origin->find("://");
  return scheme == std::string_view::npos || to_lower(origin->substr(scheme + 3)) != to_lower(host);
}

std::optional<std::string> KeyGuard::offered_key(const http::Request& request,
                                                 const http::Endpoint& endpoint) const {
  if (const auto key = request.headers.find(options_.header)) return std::string(*key);
  if (const auto bearer = request.headers.find("Authorization");
      bearer && to_lower(bearer->substr(0, 7)) == "bearer ") {
    return std::string(trim(bearer->substr(7)));
  }
  if (!endpoint.websocket) return std::nullopt;
  if (auto key = request.query_param("api_key")) return key;
  return request.query_param("key");
}

http::Response KeyGuard::too_many(const http::Request& request, const access::RateVerdict& verdict) const {
  http::Response response =
      http::error_response(request, 429, "rate_limited", "too many requests; slow down");
  for (const auto& [name, value] : access::rate_headers(verdict, clock_.now()).all())
    response.headers.set(name, value);
  return response;
}

Task<std::optional<http::Response>> KeyGuard::count_address(const http::Request& request) {
  const auto verdict = co_await limiter_.take(address_meters(options_.limits, request.remote), {});
  if (verdict.allowed) co_return std::nullopt;
  co_return too_many(request, verdict);
}

Task<http::Gatekeeper::Admission> KeyGuard::count_caller(const http::Request& request,
                                                         const http::Endpoint& endpoint,
                                                         const access::Identity& identity) {
  std::vector<access::Meter> back;
  if (!identity.caller.key.empty()) back = address_meters(options_.limits, request.remote);
  const auto verdict = co_await limiter_.take(
      caller_meters(options_.limits, identities_.mode(), identity, request.remote, endpoint.limit),
      std::move(back));
  if (!verdict.allowed) co_return Admission{.refusal = too_many(request, verdict)};
  co_return Admission{.headers = access::rate_headers(verdict, clock_.now())};
}

Task<std::expected<access::Identity, http::Response>> KeyGuard::identify(const http::Request& request,
                                                                         const http::Endpoint& endpoint) {
  const auto offered = offered_key(request, endpoint);
  const auto ticket = endpoint.websocket && !offered ? request.query_param("ticket") : std::nullopt;
  const bool changes = endpoint.websocket || !harmless(request.method);
  if (changes && !offered && !ticket && foreign_origin(request, options_.origins)) {
    co_return std::unexpected(
        http::error_response(request, 403, "foreign_origin",
                             "pages of this origin may not call without a key; cors.origins can allow it"));
  }
  // The handler holds the link against its signature; without a good one it serves nobody in particular.
  if (endpoint.signed_link && !offered && request.query_param("signature")) co_return access::Identity{};
  const bool open = endpoint.scope == access::kPublic;
  if (open && !offered) co_return identities_.nobody();
  auto identity =
      ticket ? co_await identities_.identify_ticket(*ticket) : co_await identities_.identify(offered);
  if (identity) co_return std::move(*identity);
  if (open) co_return identities_.nobody();
  if (identity.error().code == Errc::unauthorized)
    co_return std::unexpected(unauthorized(request, identity.error()));
  co_return std::unexpected(http::error_response(request, identity.error()));
}

Task<http::Gatekeeper::Admission> KeyGuard::admit(http::Request& request, const http::Endpoint& endpoint) {
  rate_.note(std::chrono::steady_clock::now());
  // Whoever asks for the health of a busy server has to get an answer.
  const bool free = endpoint.scope == access::kPublic && harmless(request.method) && endpoint.limit.empty();
  if (!free && *working_ >= options_.in_flight) co_return Admission{.refusal = busy(request)};
  const auto held = std::make_shared<Place>(working_);

  const bool counted = options_.limits.enabled && !free;
  if (counted) {
    if (auto refused = co_await count_address(request)) co_return Admission{.refusal = std::move(*refused)};
  }
  auto identity = co_await identify(request, endpoint);
  if (!identity) co_return Admission{.refusal = std::move(identity.error())};
  request.caller = identity->caller;
  Admission admission;
  if (counted) admission = co_await count_caller(request, endpoint, *identity);
  const bool by_link =
      endpoint.signed_link && identity->caller.key.empty() && request.query_param("signature");
  if (!admission.refusal && !by_link && !access::allows(*identity, endpoint.scope))
    admission.refusal = forbidden(request, *identity, endpoint);
  admission.held = held;
  co_return admission;
}

}  // namespace trawl::api
