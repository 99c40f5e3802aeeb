#include "http/cors.h"

#include <gtest/gtest.h>

namespace trawl::http {
namespace {

const CorsRules kRules{
    .origins = {"https://app.example"}, .credentials = true, .request_headers = {"X-API-Key"}};

Response answer(const CorsRules& rules, std::string method, std::optional<std::string> origin,
                bool preflight = false) {
  Request request;
  request.method = std::move(method);
  if (origin) request.headers.set("Origin", *origin);
  if (preflight) request.headers.set("Access-Control-Request-Method", "POST");
  Response response;
  response.headers.set("Allow", "GET, POST");
  apply_cors(rules, request, response);
  return response;
}

TEST(Cors, AllowsExactlyTheOriginsNamed) {
  EXPECT_EQ(answer(kRules, "GET", "https://app.example").headers.find("Access-Control-Allow-Origin"),
            "https://app.example");
  for (const char* other : {"https://app.example.evil", "http://app.example", "https://app.example:8443",
                            "null", "*", "https://APP.example", "", "https://app.example/"}) {
    const Response response = answer(kRules, "GET", other);
    EXPECT_FALSE(response.headers.find("Access-Control-Allow-Origin")) << other;
    EXPECT_FALSE(response.headers.find("Access-Control-Allow-Credentials")) << other;
    EXPECT_EQ(response.headers.find("Vary"), "Origin") << other;
  }
  EXPECT_FALSE(answer(kRules, "GET", std::nullopt).headers.find("Access-Control-Allow-Origin"));
}

TEST(Cors, SaysNothingWhereNoOriginIsAllowed) {
  const Response response = answer({}, "GET", "https://app.example");
  EXPECT_EQ(response.headers.all().size(), 1u);
}

TEST(Cors, AnswersPreflightsWithWhatTheRouteAllows) {
  const Response response = answer(kRules, "OPTIONS", "https://app.example", true);
  EXPECT_EQ(response.headers.find("Access-Control-Allow-Methods"), "GET, POST");
  EXPECT_EQ(response.headers.find("Access-Control-Allow-Headers"), "X-API-Key");
  EXPECT_EQ(response.headers.find("Access-Control-Allow-Credentials"), "true");
  EXPECT_FALSE(
      answer(kRules, "OPTIONS", "https://evil.example", true).headers.find("Access-Control-Allow-Methods"));
}

}  // namespace
}  // namespace trawl::http
