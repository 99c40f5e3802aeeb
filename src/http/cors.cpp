#include "http/cors.h"

#include <algorithm>

#include <fmt/format.h>

namespace trawl::http {
namespace {

constexpr const char* kExposed =
    "Accept-Ranges, Content-Disposition, Content-Range, ETag, Location, RateLimit-Limit, RateLimit-Policy, "
    "RateLimit-Remaining, RateLimit-Reset, Retry-After, X-RateLimit-Limit, X-RateLimit-Remaining, "
    "X-RateLimit-Reset, X-Request-ID";

}  // namespace

void apply_cors(const CorsRules& rules, const Request& request, Response& response) {
  if (rules.origins.empty()) return;
  response.headers.append("Vary", "Origin");
  const auto origin = request.headers.find("Origin");
  if (!origin || std::ranges::find(rules.origins, *origin) == rules.origins.end()) return;
  response.headers.set("Access-Control-Allow-Origin", std::string(*origin));
  if (rules.credentials) response.headers.set("Access-Control-Allow-Credentials", "true");
  const bool preflight = request.method == "OPTIONS" && request.headers.find("Access-Control-Request-Method");
  if (!preflight) {
    response.headers.set("Access-Control-Expose-Headers", kExposed);
    return;
  }
  if (const auto methods = response.headers.find("Allow"))
    response.headers.set("Access-Control-Allow-Methods", std::string(*methods));
  response.headers.set("Access-Control-Allow-Headers",
                       fmt::format("{}", fmt::join(rules.request_headers, ", ")));
  response.headers.set("Access-Control-Max-Age", "600");
}

}  // namespace trawl::http
