#include "http/message.h"

#include <gtest/gtest.h>

#include "http/accept.h"
#include "http/detail/field_value.h"
#include "http/detail/request_target.h"
#include "http/http_date.h"

namespace trawl::http {
namespace {

TEST(Headers, CompareNamesWithoutCaseAndReplace) {
  Headers headers;
  headers.set("X-Name", "a");
  headers.set("x-name", "b");
  EXPECT_EQ(headers.find("X-NAME"), "b");
  EXPECT_EQ(headers.all().size(), 1u);
  EXPECT_EQ(headers.find("X-Other"), std::nullopt);
}

TEST(Headers, JoinRepeatedFieldsSoThatNoneHidesAnother) {
  Headers headers;
  headers.append("X-API-Key", "a");
  headers.append("x-api-key", "b");
  headers.append("Cookie", "c=1");
  headers.append("cookie", "d=2");
  EXPECT_EQ(headers.find("X-API-Key"), "a, b");
  EXPECT_EQ(headers.find("Cookie"), "c=1; d=2");
}

TEST(Request, DecodesQueryParameters) {
  Request request;
  request.query = "a=1&b=two+words&c=%26%3D&d&a=2&%65=f";
  EXPECT_EQ(request.query_param("a"), "1");
  EXPECT_EQ(request.query_param("b"), "two words");
  EXPECT_EQ(request.query_param("c"), "&=");
  EXPECT_EQ(request.query_param("d"), "");
  EXPECT_EQ(request.query_param("e"), "f");
  EXPECT_EQ(request.query_param("z"), std::nullopt);
  EXPECT_EQ(request.path_param("none"), "");
}

TEST(ErrorResponse, HasEveryFieldOfTheApisErrorBody) {
  Request request;
  request.id = "id-1";
  const Response response =
      error_response(request, fail(Errc::conflict, "it is \xff final", "already_final").error());
  EXPECT_EQ(response.status, 409);
  EXPECT_EQ(response.headers.find("Content-Type"), "application/json");
  const json::value body = parse_json(std::get<std::string>(response.body)).value();
  EXPECT_EQ(body.at("error"), "it is \xef\xbf\xbd final");
  EXPECT_EQ(body.at("message"), body.at("error"));
  EXPECT_EQ(body.at("detail"), body.at("error"));
  EXPECT_EQ(body.at("error_code"), "already_final");
  EXPECT_EQ(body.at("details"), json::object());
  EXPECT_EQ(body.at("status_code"), 409);
  EXPECT_EQ(body.at("request_id"), "id-1");
  EXPECT_TRUE(parse_iso8601(std::string_view(body.at("timestamp").as_string())));
}

TEST(ErrorResponse, ListsProblemsWithTheirPlaceInTheBody) {
  const Response response = error_response({}, 422, "validation_error", "wrong",
                                           {{.loc = {"urls", "0"}, .msg = "is required", .type = "missing"}});
  const json::value body = parse_json(std::get<std::string>(response.body)).value();
  EXPECT_EQ(json::serialize(body.at("detail")),
            R"([{"loc":["body","urls","0"],"msg":"is required","type":"missing"}])");
  EXPECT_EQ(body.at("error"), "wrong");
}

TEST(RequestId, TakesOnlyShortSafeText) {
  EXPECT_EQ(detail::choose_request_id("Az0._-"), "Az0._-");
  EXPECT_EQ(detail::choose_request_id(std::string(64, 'a')), std::string(64, 'a'));
  for (const std::string& bad : {std::string(), std::string(65, 'a'), std::string("a b"), std::string("a\"b"),
                                 std::string("\xc3\xa4")}) {
    EXPECT_EQ(detail::choose_request_id(bad).size(), 36u) << bad;
  }
}

TEST(AcceptEncoding, AllowsGzipUnlessRefused) {
  for (const char* yes : {"gzip", "br, GZIP", "gzip;q=0.5", "*", "x-gzip", "deflate, gzip;q=1.0, *;q=0"})
    EXPECT_TRUE(accepts_gzip(yes)) << yes;
  for (const char* no : {"", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "identity", "*, gzip;q=0"})
    EXPECT_FALSE(accepts_gzip(no)) << no;
}

TEST(Accept, AsksForAMediaTypeByItsName) {
  for (const char* yes : {"text/html", "application/json, TEXT/HTML;q=0.1", "text/html;level=1;q=0.5, */*"})
    EXPECT_TRUE(asks_for(yes, "text/html")) << yes;
  for (const char* no :
       {"", "*/*", "text/*", "application/json", "text/html;q=0", "text/html;level=1; q=0.0"})
    EXPECT_FALSE(asks_for(no, "text/html")) << no;
}

TEST(RequestTarget, IsTakenApart) {
  const auto parsed = [](std::string_view method, std::string_view target) {
    return detail::parse_target(method, target).value();
  };
  EXPECT_EQ(parsed("GET", "/a/b?c=d?e"), (detail::RequestTarget{"/a/b", "c=d?e"}));
  EXPECT_EQ(parsed("GET", "HTTP://h:1/a?b"), (detail::RequestTarget{"/a", "b"}));
  EXPECT_EQ(parsed("GET", "https://h"), (detail::RequestTarget{"/", ""}));
  EXPECT_EQ(parsed("GET", "http://h?q"), (detail::RequestTarget{"/", "q"}));
  EXPECT_EQ(parsed("OPTIONS", "*"), (detail::RequestTarget{"*", ""}));
  for (const char* bad : {"*", "a", "", "h:443", "http:///a", "ftp://h/a", "/a#b"}) {
    EXPECT_EQ(detail::parse_target("GET", bad).error().code, Errc::invalid) << bad;
  }
}

TEST(HttpDate, IsWrittenAndReadInAllThreeForms) {
  const auto time = std::chrono::sys_seconds(std::chrono::seconds(784111777));
  EXPECT_EQ(to_http_date(time), "Sun, 06 Nov 1994 08:49:37 GMT");
  for (const char* text :
       {"Sun, 06 Nov 1994 08:49:37 GMT", "Sunday, 06-Nov-94 08:49:37 GMT", "Sun Nov  6 08:49:37 1994"}) {
    EXPECT_EQ(parse_http_date(text), time) << text;
  }
  for (const char* bad :
       {"", "yesterday", "Sun, 06 Nov 1994 08:49:37", "Sun, 31 Feb 1994 08:49:37 GMT", "784111777"}) {
    EXPECT_EQ(parse_http_date(bad), std::nullopt) << bad;
  }
}

}  // namespace
}  // namespace trawl::http
