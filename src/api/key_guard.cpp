#include "api/key_guard.h"

#include <openssl/crypto.h>

#include "base/sha256.h"
#include "base/text.h"

namespace trawl::api {
namespace {

constexpr std::string_view kPublic[] = {"/",
                                        "/health",
                                        "/healthz",
                                        "/readyz",
                                        "/version",
                                        "/api/v1/health",
                                        "/api/v1/health/live",
                                        "/api/v1/health/ready",
                                        "/api/v1/readyz",
                                        "/api/v1/version"};

std::optional<std::string> offered_key(const http::Request& request, bool upgrade) {
  if (const auto key = request.headers.find("X-API-Key")) return std::string(*key);
  if (const auto bearer = request.headers.find("Authorization");
      bearer && to_lower(bearer->substr(0, 7)) == "bearer ") {
    return std::string(trim(bearer->substr(7)));
  }
  if (!upgrade) return std::nullopt;
  if (auto key = request.query_param("api_key")) return key;
  return request.query_param("key");
}

// Compares digests, so that neither content nor length of the key shows in the time it takes.
bool same(const std::string& a, const std::string& b) {
  const std::string x = sha256_hex(a), y = sha256_hex(b);
  return CRYPTO_memcmp(x.data(), y.data(), x.size()) == 0;
}

}  // namespace

std::optional<http::Response> KeyGuard::refuse(const http::Request& request, bool upgrade) const {
  if (key_.empty() || std::find(std::begin(kPublic), std::end(kPublic), request.path) != std::end(kPublic))
    return std::nullopt;
  const auto offered = offered_key(request, upgrade);
  if (offered && same(*offered, key_)) return std::nullopt;
  http::Response response = http::error_response(
      request, 401, "unauthorized",
      offered ? "the API key is not valid" : "an API key is needed: send it as X-API-Key");
  response.headers.set("WWW-Authenticate", "ApiKey");
  return response;
}

}  // namespace trawl::api
