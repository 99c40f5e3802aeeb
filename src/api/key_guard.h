#pragma once

#include <string>
#include <vector>

#include "access/limits.h"
#include "api/request_rate.h"
#include "http/router.h"

namespace trawl::api {

struct GuardOptions {
  std::string header = "X-API-Key";  // The field that carries a key.
  std::vector<std::string> origins;  // Of web pages that may call, beside those of this server.
  access::LimitRules limits;
  std::size_t in_flight = 1024;  // Requests worked on at once; more are refused.
};

// Decides who may call what, and how often: finds the caller by the API key, which comes in the header field,
// as `Authorization: Bearer` or, on WebSocket upgrades only, as query parameter `api_key` or `key`, or by a
// ticket (access/tickets.h) as query parameter `ticket` of an upgrade, and asks whether their scopes cover
// the route's. 401 with WWW-Authenticate, or 403.
//
// Requests are counted by address before the key is looked at, so that guessing is slow; one with a good
// key is then counted by that key instead, so that colleagues behind one address do not share a limit.
// Too many: 429 with Retry-After. More than the server can work on at once: 503 with Retry-After.
// Reading public routes is neither counted nor refused, unless they have a limit of their own.
//
// Without a key a web page of another origin could make its visitors' browsers call a server that only
// they reach; so what changes something, and WebSockets, are refused to foreign origins.
class KeyGuard final : public http::Gatekeeper {
 public:
  KeyGuard(access::Identities& identities, access::RateLimiter& limiter, const Clock& clock,
           GuardOptions options)
      : identities_(identities), limiter_(limiter), clock_(clock), options_(std::move(options)) {}

  [[nodiscard]] Task<Admission> admit(http::Request& request, const http::Endpoint& endpoint) override;

  // Requests in the last minute.
  [[nodiscard]] std::int64_t requests_per_minute() {
    return rate_.per_minute(std::chrono::steady_clock::now());
  }

 private:
  [[nodiscard]] Task<std::optional<http::Response>> count_address(const http::Request& request);
  [[nodiscard]] Task<Admission> count_caller(const http::Request& request, const http::Endpoint& endpoint,
                                             const access::Identity& identity);
  [[nodiscard]] http::Response too_many(const http::Request& request,
                                        const access::RateVerdict& verdict) const;
  // Who calls, or the answer to somebody who may not.
  [[nodiscard]] Task<std::expected<access::Identity, http::Response>> identify(
      const http::Request& request, const http::Endpoint& endpoint);
  [[nodiscard]] std::optional<std::string> offered_key(const http::Request& request,
                                                       const http::Endpoint& endpoint) const;

  access::Identities& identities_;
  access::RateLimiter& limiter_;
  const Clock& clock_;
  GuardOptions options_;
  RequestRate rate_;
  std::shared_ptr<std::size_t> working_ = std::make_shared<std::size_t>(0);
};

// Whether the browser that sent `request` was told to by a page of another origin than those allowed.
[[nodiscard]] bool foreign_origin(const http::Request& request, const std::vector<std::string>& allowed);

}  // namespace trawl::api
