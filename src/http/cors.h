#pragma once

#include <string>
#include <vector>

#include "http/message.h"

namespace trawl::http {

// Which web pages may read answers (the Fetch standard's CORS protocol).
struct CorsRules {
  std::vector<std::string> origins;  // Compared as a whole: "https://app.example.com".
  bool credentials = false;
  std::vector<std::string> request_headers;  // What pages may send beyond what browsers send anyway.
};

// The fields of a request that apply_cors() looks at.
inline constexpr const char* kCorsFields[] = {"Origin", "Access-Control-Request-Method"};

// Adds to the answer of `request` what lets the page of an allowed origin read it, and answers its
// preflight. Answers differ by origin as soon as any is allowed, which Vary says to caches.
void apply_cors(const CorsRules& rules, const Request& request, Response& response);

}  // namespace trawl::http
