#include "api/openapi.h"

#include <gtest/gtest.h>

#include "access/scopes.h"
#include "api/openapi_refusals.h"
#include "api/views.h"

namespace trawl::api {
namespace {

static_assert(!std::is_default_constructible_v<http::Contract>, "a route must say what it takes and gives");

http::Endpoint endpoint(std::string method, std::string path, http::Contract contract) {
  return {.method = std::move(method),
          .path = std::move(path),
          .scope = access::kDownloadsWrite,
          .summary = "A test.",
          .contract = std::move(contract)};
}

http::Contract taking(http::Body body) {
  return {.body = std::move(body),
          .query = http::Query::none(),
          .answers = http::Answers::json<CancelView>(202),
          .refusals = http::Refusals::of({{404, "not_found"}})};
}

TEST(OpenApi, DescribesEveryEndpointUnderItsPath) {
  const json::object document = openapi({endpoint("POST", "/a/{id}", taking(http::Body::none())),
                                         endpoint("GET", "/a/{path...}", shows<CancelView>())},
                                        {.version = "1", .public_url = {}});
  EXPECT_EQ(document.at("openapi"), "3.1.0");
  const json::object& paths = document.at("paths").as_object();
  EXPECT_EQ(paths.size(), 2u);
  const json::object& operation = paths.at("/a/{id}").at("post").as_object();
  EXPECT_EQ(operation.at("operationId"), "post_a_id");
  EXPECT_EQ(operation.at("security"),
            parse_json(R"([{"ApiKey":["downloads:write"]},{"Bearer":["downloads:write"]}])"));
  EXPECT_EQ(operation.at("parameters").at(0).at("name"), "id");
  EXPECT_TRUE(operation.at("responses").as_object().contains("202"));
  EXPECT_EQ(paths.at("/a/{path}").at("get").at("parameters").at(0).at("name"), "path");
}

TEST(OpenApi, ClosesTheBodyOfPathsThatRefuseUnknownFields) {
  using http::Body;
  const auto body_of = [](Body::Unknown unknown) {
    const json::object document =
        openapi({endpoint("POST", "/a", taking(Body::json<media::DownloadRequest>(unknown)))}, {});
    return document.at("paths").at("/a").at("post").at("requestBody").at("content").at("application/json");
  };
  EXPECT_EQ(body_of(Body::Unknown::refused).at("schema"),
            parse_json(R"({"$ref":"#/components/schemas/DownloadRequest","unevaluatedProperties":false})"));
  EXPECT_EQ(body_of(Body::Unknown::ignored).at("schema"),
            parse_json(R"({"$ref":"#/components/schemas/DownloadRequest"})"));
}

TEST(OpenApi, AddsWhatStandsBeforeTheHandler) {
  const auto refusals = all_refusals(endpoint("POST", "/a", taking(http::Body::none())));
  EXPECT_TRUE(refusals.at(401).contains("key_expired"));
  EXPECT_TRUE(refusals.at(403).contains("foreign_origin"));
  EXPECT_TRUE(refusals.at(404).contains("not_found"));
  EXPECT_TRUE(refusals.at(429).contains("rate_limited"));
  EXPECT_FALSE(refusals.contains(422));

  http::Endpoint open = endpoint("GET", "/b", shows<CancelView>());
  open.scope = access::kPublic;
  EXPECT_FALSE(all_refusals(open).contains(401));
  EXPECT_FALSE(all_refusals(open).contains(429));
}

}  // namespace
}  // namespace trawl::api
