#include "http/detail/response_head.h"

#include <gtest/gtest.h>

#include "http/detail/gzip.h"

namespace trawl::http::detail {
namespace {

std::string render(int status, std::initializer_list<std::pair<std::string, std::string>> fields,
                   HeadContext context) {
  Response response{.status = status, .headers = {}, .body = {}};
  for (const auto& [name, value] : fields) response.headers.set(name, value);
  return render_head(response, context);
}

TEST(ResponseHead, LetsTheHandlerReplaceADefault) {
  const std::string head = render(200, {{"content-security-policy", "sandbox"}}, {.request_id = "id-1"});
  EXPECT_TRUE(head.contains("content-security-policy: sandbox\r\n"));
  EXPECT_FALSE(head.contains("Content-Security-Policy: default-src"));
  EXPECT_TRUE(head.contains("X-Frame-Options: DENY\r\n"));
  EXPECT_TRUE(head.contains("X-Request-ID: id-1\r\n"));
}

TEST(ResponseHead, FramesTheMessageItself) {
  const std::string head =
      render(200, {{"content-length", "7"}, {"Transfer-Encoding", "chunked"}, {"Connection", "x"}},
             {.content_length = 5});
  EXPECT_TRUE(head.starts_with("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(head.contains("\r\nContent-Length: 5\r\n"));
  EXPECT_FALSE(head.contains("content-length"));
  EXPECT_FALSE(head.contains("Transfer-Encoding"));
  EXPECT_FALSE(head.contains("Connection"));
  EXPECT_TRUE(head.ends_with("\r\n\r\n"));
}

TEST(ResponseHead, GivesNoLengthWhereThereIsNoBody) {
  for (const int status : {204, 304})
    EXPECT_FALSE(render(status, {}, {}).contains("Content-Length")) << status;
}

TEST(ResponseHead, SaysWhetherTheConnectionStays) {
  EXPECT_TRUE(render(200, {}, {.keep_alive = false}).contains("\r\nConnection: close\r\n"));
  EXPECT_TRUE(render(200, {}, {.http_1_0 = true}).contains("\r\nConnection: keep-alive\r\n"));
  EXPECT_TRUE(render(426, {{"Upgrade", "websocket"}}, {.keep_alive = false})
                  .contains("\r\nConnection: upgrade, close\r\n"));
}

TEST(ResponseHead, GivesTheProcessTimeInSeconds) {
  EXPECT_TRUE(render(200, {}, {.process_time = std::chrono::milliseconds(1500)})
                  .contains("\r\nX-Process-Time: 1.500000\r\n"));
}

TEST(Gzip, IsForLongJsonThatIsNotCompressedYet) {
  Response response = json_response(200, json::value(std::string(2000, 'a')));
  EXPECT_TRUE(compressible(response));
  response.headers.set("ETag", "\"a\"");  // A strong tag names the bytes as they are.
  EXPECT_FALSE(compressible(response));
  EXPECT_FALSE(compressible(json_response(200, json::value(std::string(900, 'a')))));
  EXPECT_FALSE(compressible({.status = 200, .headers = {}, .body = std::string(2000, 'a')}));
}

}  // namespace
}  // namespace trawl::http::detail
