#include "net/detail/proxy_head.h"

#include <gtest/gtest.h>

namespace trawl::net::detail {
namespace {

http::request_header<> request(std::initializer_list<std::pair<std::string_view, std::string_view>> fields) {
  http::request_header<> out;
  out.method(http::verb::get);
  for (const auto& [name, value] : fields) out.insert(name, value);
  return out;
}

TEST(ProxyHead, ReadsTheTokenFromBasicCredentials) {
  const auto user = [](std::string_view value) {
    return read_proxy_user(request({{"Proxy-Authorization", value}}));
  };
  EXPECT_EQ(user("Basic dG9rZW46eA=="), "token");
  EXPECT_EQ(user("basic dG9rZW46"), "token");
  for (const auto* bad :
       {"Basic", "Basic ", "Bearer dG9rZW46eA==", "Basic dG9rZW4=", "Basic dG9rZW46eA", "Basic ****"}) {
    EXPECT_FALSE(user(bad)) << bad;
  }
  EXPECT_FALSE(read_proxy_user(request({})));
  EXPECT_FALSE(read_proxy_user(request(
      {{"Proxy-Authorization", "Basic dG9rZW46eA=="}, {"Proxy-Authorization", "Basic dG9rZW46eA=="}})));
}

TEST(ProxyHead, RewritesTheRequestForTheOrigin) {
  const auto head = request({{"Host", "other.example"},
                             {"User-Agent", "test"},
                             {"Proxy-Authorization", "Basic eA=="},
                             {"Proxy-Connection", "keep-alive"},
                             {"Connection", "X-Hop, close"},
                             {"X-Hop", "1"},
                             {"TE", "trailers"},
                             {"Upgrade", "h2c"},
                             {"Expect", "100-continue"},
                             {"Content-Length", "3"},
                             {"Cookie", "a=b"}});
  const auto url = parse_url("http://example.com:8080/a?b").value();
  EXPECT_EQ(origin_head(head, url, {.framing = Framing::length, .length = 3}, true),
            "GET /a?b HTTP/1.1\r\nHost: example.com:8080\r\nUser-Agent: test\r\nCookie: a=b\r\n"
            "Content-Length: 3\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ProxyHead, RewritesTheResponseForTheClient) {
  http::response_header<> head;
  head.result(404);
  head.reason("Gone fishing");
  head.insert("Set-Cookie", "a=1");
  head.insert("Set-Cookie", "b=2");
  head.insert("Transfer-Encoding", "chunked");
  head.insert("Keep-Alive", "timeout=5");
  head.insert("Proxy-Authenticate", "Basic");
  EXPECT_EQ(client_head(head, {.framing = Framing::chunked, .length = {}}, false),
            "HTTP/1.1 404 Gone fishing\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\n"
            "Transfer-Encoding: chunked\r\nConnection: close\r\n\r\n");
}

TEST(ProxyHead, PassesOnOnlyPlainChunks) {
  EXPECT_TRUE(can_pass_on(request({})));
  EXPECT_TRUE(can_pass_on(request({{"Transfer-Encoding", "Chunked"}})));
  EXPECT_FALSE(can_pass_on(request({{"Transfer-Encoding", "gzip, chunked"}})));
  EXPECT_FALSE(can_pass_on(request({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "chunked"}})));
}

TEST(ProxyHead, AnswersWithTheStatusOfTheError) {
  const auto starts = [](Error error) { return error_answer(error).substr(0, 12); };
  EXPECT_EQ(starts({Errc::invalid, "m", "invalid_url"}), "HTTP/1.1 400");
  EXPECT_EQ(starts({Errc::forbidden, "m", "address_not_allowed"}), "HTTP/1.1 403");
  EXPECT_EQ(starts({Errc::unauthorized, "m", "unauthorized"}), "HTTP/1.1 407");
  EXPECT_EQ(starts({Errc::rate_limited, "m", "too_many_connections"}), "HTTP/1.1 429");
  EXPECT_EQ(starts({Errc::invalid, "m", "header_too_large"}), "HTTP/1.1 431");
  EXPECT_EQ(starts({Errc::unavailable, "m", "dns_failed"}), "HTTP/1.1 502");
  EXPECT_EQ(starts({Errc::timeout, "m", "connect_timeout"}), "HTTP/1.1 504");
  EXPECT_NE(
      error_answer({Errc::forbidden, "m", "port_not_allowed"}).find("X-Trawl-Refused: port_not_allowed\r\n"),
      std::string::npos);
  EXPECT_EQ(error_answer({Errc::unavailable, "m", "dns_failed"}).find("X-Trawl-Refused"), std::string::npos);
}

}  // namespace
}  // namespace trawl::net::detail
