#include "net/egress_proxy_fixture.h"

namespace trawl::net {
namespace {

std::string refusal_of(const Response& response) {
  return std::string(response["X-Trawl-Refused"]);
}

Response text(std::string body, http::status status = http::status::ok) {
  Response out(status, 11);
  out.body() = std::move(body);
  return out;
}

TEST_F(EgressProxyTest, ForwardsAnAbsoluteGetInOriginForm) {
  run([this]() -> Task<void> {
    Request seen;
    Origin origin(context, origins,
                  answering([&](const Request& request) { return seen = request, text("hello"); }));
    Client c = client();
    const Response response = co_await c.get(origin.url("/a?b=c"));
    EXPECT_EQ(response.result_int(), 200u);
    EXPECT_EQ(response.body(), "hello");
    EXPECT_EQ(seen.target(), "/a?b=c");
    EXPECT_EQ(seen[http::field::host], fmt::format("127.0.0.1:{}", origin.port()));
    EXPECT_EQ(seen.count(http::field::proxy_authorization), 0u);
    EXPECT_GT(pass->traffic().received, 5u);
    EXPECT_FALSE(pass->refusal());
  });
}

TEST_F(EgressProxyTest, UsesOneConnectionToTheOriginForManyRequests) {
  run([this]() -> Task<void> {
    Origin origin(context, origins,
                  answering([](const Request& request) { return text(std::string(request.target())); }));
    Client c = client();
    for (const auto* path : {"/1", "/2", "/3"}) EXPECT_EQ((co_await c.get(origin.url(path))).body(), path);
    EXPECT_EQ(origin.connections(), 1);
  });
}

TEST_F(EgressProxyTest, DialsAgainForAnotherOriginOnTheSameConnection) {
  run([this]() -> Task<void> {
    Origin one(context, origins, answering([](const Request&) { return text("one"); }));
    Origin two(context, origins, answering([](const Request&) { return text("two"); }));
    Client c = client();
    EXPECT_EQ((co_await c.get(one.url("/"))).body(), "one");
    EXPECT_EQ((co_await c.get(two.url("/"))).body(), "two");
    EXPECT_EQ((co_await c.get(one.url("/"))).body(), "one");
  });
}

TEST_F(EgressProxyTest, DialsAgainWhenTheOriginClosedTheKeptConnection) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, saying("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"));
    Client c = client();
    EXPECT_EQ((co_await c.get(origin.url("/"))).body(), "ok");
    EXPECT_EQ((co_await c.get(origin.url("/"))).body(), "ok");
    EXPECT_EQ(origin.connections(), 2);
  });
}

TEST_F(EgressProxyTest, NeverReusesAConnectionWithBytesAfterTheAnswer) {
  run([this]() -> Task<void> {
    const std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
    Origin origin(context, origins, saying(answer + "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nevil"));
    Client c = client();
    EXPECT_EQ((co_await c.get(origin.url("/"))).body(), "ok");
    EXPECT_EQ((co_await c.get(origin.url("/"))).body(), "ok");
    EXPECT_EQ(origin.connections(), 2);
  });
}

TEST_F(EgressProxyTest, RelaysBodiesWithALengthAndInChunks) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, answering([](const Request& request) { return text(request.body()); }));
    Client c = client();
    const std::string body(300'000, 'b');
    co_await c.send(c.head("POST " + origin.url("/"), "Content-Length: 300000\r\n") + body);
    EXPECT_EQ((co_await c.read()).body(), body);
    co_await c.send(c.head("POST " + origin.url("/"), "Transfer-Encoding: chunked\r\n") +
                    "3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n");
    EXPECT_EQ((co_await c.read()).body(), "abcde");
    EXPECT_EQ((co_await c.get(origin.url("/"))).result_int(), 200u);
  });
}

TEST_F(EgressProxyTest, TellsAClientThatAsksToGoOnWithItsBody) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, answering([](const Request& request) { return text(request.body()); }));
    Client c = client();
    co_await c.send(c.head("POST " + origin.url("/"), "Content-Length: 4\r\nExpect: 100-continue\r\n"));
    EXPECT_EQ((co_await c.read()).result_int(), 100u);
    co_await c.send("body");
    EXPECT_EQ((co_await c.read()).body(), "body");
  });
}

TEST_F(EgressProxyTest, RelaysAnswersInChunksAndKeepsTheConnection) {
  run([this]() -> Task<void> {
    Origin origin(
        context, origins,
        saying("HTTP/1.1 103 Early Hints\r\n\r\nHTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
               "5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n"));
    Client c = client();
    for (int i = 0; i < 2; ++i) {
      const Response response = co_await c.get(origin.url("/"));
      EXPECT_EQ(response.body(), "hello world");
      EXPECT_TRUE(response.chunked());
      EXPECT_TRUE(response.keep_alive());
    }
  });
}

TEST_F(EgressProxyTest, RelaysAnAnswerThatEndsWithTheConnection) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, saying("HTTP/1.0 200 OK\r\n\r\n" + std::string(200'000, 'x')));
    Client c = client();
    const Response response = co_await c.get(origin.url("/"));
    EXPECT_EQ(response.body().size(), 200'000u);
    EXPECT_FALSE(response.keep_alive());
  });
}

TEST_F(EgressProxyTest, GivesAnOldClientABodyWithoutChunks) {
  run([this]() -> Task<void> {
    Origin origin(context, origins,
                  saying("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"));
    Client c = client();
    co_await c.send(
        fmt::format("GET {} HTTP/1.0\r\nProxy-Authorization: {}\r\n\r\n", origin.url("/"), c.credentials));
    const std::string all = co_await c.read_to_end();
    EXPECT_EQ(c.last_error, asio::error::eof);
    EXPECT_EQ(all.find("chunked"), std::string::npos);
    EXPECT_TRUE(all.ends_with("\r\n\r\nhello"));
  });
}

TEST_F(EgressProxyTest, NeverPassesATruncatedAnswerOffAsAWholeOne) {
  run([this]() -> Task<void> {
    for (const auto* framing : {"Content-Length: 50", "Transfer-Encoding: chunked"}) {
      Origin origin(context, origins,
                    saying(fmt::format("HTTP/1.1 200 OK\r\n{}\r\n\r\n9\r\n12345", framing)));
      Client old = client();
      co_await old.send(fmt::format("GET {} HTTP/1.0\r\nProxy-Authorization: {}\r\n\r\n", origin.url("/"),
                                    old.credentials));
      co_await old.read_to_end();
      EXPECT_EQ(old.last_error, asio::error::connection_reset) << framing;
      Client c = client();
      co_await c.get(origin.url("/"));
      EXPECT_TRUE(c.last_error) << framing;
    }
  });
}

TEST_F(EgressProxyTest, KnowsWhichAnswersHaveNoBody) {
  run([this]() -> Task<void> {
    Origin head(context, origins, saying("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"));
    Origin no_content(context, origins, saying("HTTP/1.1 204 No Content\r\n\r\n"));
    Client c = client();
    co_await c.send(c.head("HEAD " + head.url("/")));
    EXPECT_EQ((co_await c.read(true))[http::field::content_length], "1000");
    EXPECT_EQ((co_await c.get(no_content.url("/"))).result_int(), 204u);
    EXPECT_EQ((co_await c.get(no_content.url("/"))).result_int(), 204u);
  });
}

TEST_F(EgressProxyTest, TunnelsBothWaysAndPassesOnTheEndOfEach) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, echo);
    Client c = client();
    EXPECT_EQ(co_await c.connect(fmt::format("127.0.0.1:{}", origin.port()), "early "), 200u);
    const std::string data(1 << 20, 't');
    origins.spawn("writer", [](Client& to, std::string bytes) -> Task<void> {
      co_await to.send(std::move(bytes));
      to.socket.shutdown(tcp::socket::shutdown_send);
    }(c, data));
    const std::string back = co_await c.read_to_end();
    EXPECT_EQ(c.last_error, asio::error::eof);
    EXPECT_EQ(back, "early " + data);
    EXPECT_EQ(pass->traffic().received, back.size());
  });
}

TEST_F(EgressProxyTest, AsksForAToken) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, answering([](const Request&) { return text("secret"); }));
    const auto forgotten = proxy->admit({})->proxy_url();
    for (const std::string& credentials :
         {std::string(), "Basic " + Client::base64("0123456789abcdef0123456789abcdef:x"),
          Client(context, forgotten).credentials}) {
      Client c = client();
      c.credentials = credentials;
      const Response response = co_await c.get(origin.url("/"));
      EXPECT_EQ(response.result_int(), 407u);
      EXPECT_EQ(response[http::field::proxy_authenticate], "Basic realm=\"trawl\"");
    }
    EXPECT_EQ(origin.connections(), 0);
  });
}

TEST_F(EgressProxyTest, RefusesEverySpellingOfAnInternalAddressAndRemembersWhy) {
  run({}, {}, [this]() -> Task<void> {
    Origin origin(context, origins, answering([](const Request&) { return text("secret"); }));
    for (const auto* host :
         {"127.0.0.1", "localhost", "LOCALHOST.", "2130706433", "0x7f.1", "127.1", "0177.0.0.1", "0", "[::1]",
          "[::]", "[::ffff:127.0.0.1]", "[::7f00:1]", "[64:ff9b::7f00:1]"}) {
      auto job = proxy->admit({});
      for (const auto* way : {"GET http://{}:{}/", "CONNECT {}:{}"}) {
        Client c(context, job->proxy_url());
        co_await c.send(c.head(fmt::format(fmt::runtime(way), host, origin.port())));
        const Response response = co_await c.read();
        EXPECT_EQ(response.result_int(), 403u) << host;
        EXPECT_EQ(refusal_of(response), "address_not_allowed") << host;
      }
      EXPECT_EQ(job->refusal().value_or(Error{}).reason, "address_not_allowed") << host;
      EXPECT_EQ(job->refusal().value_or(Error{}).code, Errc::forbidden) << host;
    }
    EXPECT_EQ(origin.connections(), 0);
    EXPECT_FALSE(pass->refusal());
  });
}

TEST_F(EgressProxyTest, JudgesTheTargetOfARedirectLikeAnyOther) {
  EgressRules rules = private_networks();
  rules.denied_domains = {"127.0.0.1"};
  run(rules, {}, [this]() -> Task<void> {
    Origin internal(context, origins, answering([](const Request&) { return text("secret"); }));
    Origin outside(context, origins, answering([&](const Request&) {
                     Response out = text("", http::status::found);
                     out.set(http::field::location, internal.url("/admin"));
                     return out;
                   }));
    Client c = client();
    const Response redirect = co_await c.get(fmt::format("http://localhost:{}/", outside.port()));
    EXPECT_EQ(redirect.result_int(), 302u);
    const Response response = co_await c.get(std::string(redirect[http::field::location]));
    EXPECT_EQ(response.result_int(), 403u);
    EXPECT_EQ(internal.connections(), 0);
    EXPECT_EQ(pass->refusal().value_or(Error{}).reason, "domain_not_allowed");
  });
}

TEST_F(EgressProxyTest, RefusesForbiddenPorts) {
  run({}, {}, [this]() -> Task<void> {
    Client c = client();
    co_await c.send(c.head("CONNECT example.com:25"));
    EXPECT_EQ(refusal_of(co_await c.read()), "port_not_allowed");
    EXPECT_EQ(pass->refusal().value_or(Error{}).reason, "port_not_allowed");
  });
}

TEST_F(EgressProxyTest, DoesNotConnectToItself) {
  run([this]() -> Task<void> {
    const std::string url = pass->proxy_url();
    Client c = client();
    co_await c.send(c.head("CONNECT 127.0.0.1:" + url.substr(url.rfind(':') + 1)));
    EXPECT_EQ(refusal_of(co_await c.read()), "address_not_allowed");
  });
}

TEST_F(EgressProxyTest, RefusesMalformedTargets) {
  run([this]() -> Task<void> {
    for (const auto* line :
         {"GET /", "GET https://example.com/", "GET ftp://example.com/", "GET http://u:p@example.com/",
          "CONNECT example.com", "CONNECT example.com:0", "CONNECT u@example.com:443", "OPTIONS *"}) {
      Client c = client();
      co_await c.send(c.head(line));
      const Response response = co_await c.read();
      EXPECT_EQ(response.result_int(), 400u) << line;
      EXPECT_EQ(refusal_of(response), "invalid_url") << line;
    }
  });
}

TEST_F(EgressProxyTest, RefusesRequestsThatCanBeReadInTwoWays) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, answering([](const Request&) { return text("ok"); }));
    for (const auto* fields :
         {"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n", "Content-Length: +1\r\n",
          "Content-Length: 1\r\nContent-Length: 2\r\n", "Transfer-Encoding: gzip, chunked\r\n",
          "Transfer-Encoding: identity\r\n", "Bad Name: x\r\n"}) {
      Client c = client();
      co_await c.send(c.head("POST " + origin.url("/"), fields) + "0\r\n\r\n");
      EXPECT_EQ((co_await c.read()).result_int(), 400u) << fields;
    }
    EXPECT_EQ(origin.connections(), 0);
  });
}

TEST_F(EgressProxyTest, RefusesAHeaderThatIsTooLarge) {
  run([this]() -> Task<void> {
    Client c = client();
    co_await c.send(c.head("GET http://example.com/", "X: " + std::string(20'000, 'x') + "\r\n"));
    EXPECT_EQ((co_await c.read()).result_int(), 431u);
  });
}

TEST_F(EgressProxyTest, ReportsAnOriginThatCannotBeReached) {
  run([this]() -> Task<void> {
    tcp::acceptor unused(context, {asio::ip::address_v4::loopback(), 0});
    const auto port = unused.local_endpoint().port();
    unused.close();
    Client c = client();
    EXPECT_EQ((co_await c.get(fmt::format("http://127.0.0.1:{}/", port))).result_int(), 502u);
    EXPECT_FALSE(pass->refusal());
  });
}

TEST_F(EgressProxyTest, ReportsAnOriginThatAnswersNonsense) {
  run([this]() -> Task<void> {
    for (const auto* answer :
         {"", "nonsense\r\n\r\n", "HTTP/1.1 101 Switching\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Le",
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n"}) {
      Origin origin(context, origins, saying(answer));
      Client c = client();
      EXPECT_EQ((co_await c.get(origin.url("/"))).result_int(), 502u) << answer;
    }
  });
}

TEST_F(EgressProxyTest, ReachesAnExceptionOnItsPortsAlone) {
  Origin open(context, origins, answering([](const Request&) { return text("open"); }));
  Origin shut(context, origins, answering([](const Request&) { return text("shut"); }));
  EgressRules rules;
  rules.allow_addresses = {parse_address_exception(fmt::format("127.0.0.0/8:{}", open.port())).value()};
  run(rules, {}, [&]() -> Task<void> {
    EXPECT_EQ((co_await client().get(open.url("/"))).body(), "open");
    EXPECT_EQ(refusal_of(co_await client().get(shut.url("/"))), "address_not_allowed");
    EXPECT_EQ(shut.connections(), 0);
  });
}

TEST_F(EgressProxyTest, ClosesAJobsConnectionsWithItsPass) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, echo);
    auto other = proxy->admit({});
    Client staying(context, other->proxy_url());
    Client c = client();
    const auto authority = fmt::format("127.0.0.1:{}", origin.port());
    EXPECT_EQ(co_await c.connect(authority), 200u);
    EXPECT_EQ(co_await staying.connect(authority), 200u);
    pass.reset();
    EXPECT_EQ(co_await c.read_to_end(), "");
    co_await staying.send("still here");
    staying.socket.shutdown(tcp::socket::shutdown_send);
    EXPECT_EQ(co_await staying.read_to_end(), "still here");
  });
}

TEST_F(EgressProxyTest, ClosesEverythingWhenItStops) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, echo);
    Client tunnelling = client();
    EXPECT_EQ(co_await tunnelling.connect(fmt::format("127.0.0.1:{}", origin.port())), 200u);
    Client silent = client();
    co_await proxy->stop();
    EXPECT_EQ(co_await tunnelling.read_to_end(), "");
    EXPECT_EQ(co_await silent.read_to_end(), "");
  });
}

TEST_F(EgressProxyTest, LetsAPassOutliveIt) {
  std::unique_ptr<EgressProxy::Pass> survivor;
  run([&]() -> Task<void> {
    survivor = proxy->admit({});
    co_return;
  });
  EXPECT_FALSE(survivor->refusal());
}

}  // namespace
}  // namespace trawl::net
