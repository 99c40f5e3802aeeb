#include "net/egress_proxy_fixture.h"

namespace trawl::net {
namespace {

using namespace std::chrono_literals;

// What a fake upstream was asked for, in its own words.
struct Asked {
  std::vector<std::string> targets;
  std::vector<std::string> credentials;
};

Task<std::string> read_bytes(tcp::socket& socket, std::size_t size) {
  std::string out(size, '\0');
  co_await asio::async_read(socket, asio::buffer(out), asio::use_awaitable);
  co_return out;
}

// An HTTP proxy that answers CONNECT with `status` and is then an origin that says "from upstream".
Origin::Script http_upstream(Asked& asked, int status) {
  return [&asked, status](tcp::socket& socket) -> Task<void> {
    boost::beast::flat_buffer buffer;
    http::request_parser<http::empty_body> connect;
    co_await http::async_read_header(socket, buffer, connect, asio::use_awaitable);
    asked.targets.emplace_back(connect.get().target());
    asked.credentials.emplace_back(connect.get()[http::field::proxy_authorization]);
    const auto head = fmt::format("HTTP/1.1 {} Said so\r\nX-More: yes\r\n\r\n", status);
    co_await asio::async_write(socket, asio::buffer(head), asio::use_awaitable);
    if (status != 200) co_return;
    const auto saying_so = saying("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nfrom upstream");
    co_await saying_so(socket);
  };
}

// A SOCKS5 proxy with user name and password; `reply` is its answer to the request.
Origin::Script socks_upstream(Asked& asked, char reply) {
  return [&asked, reply](tcp::socket& socket) -> Task<void> {
    const auto greeting = co_await read_bytes(socket, 3);
    const bool named = greeting[2] == 2;
    co_await asio::async_write(socket, asio::buffer(named ? "\x05\x02" : "\x05\x00", 2), asio::use_awaitable);
    if (named) {
      const auto user = co_await read_bytes(socket, 2);
      const auto name = co_await read_bytes(socket, static_cast<std::size_t>(user[1]));
      const auto size = co_await read_bytes(socket, 1);
      asked.credentials.push_back(name + ":" +
                                  co_await read_bytes(socket, static_cast<std::size_t>(size[0])));
      co_await asio::async_write(socket, asio::buffer("\x01\x00", 2), asio::use_awaitable);
    }
    const auto request = co_await read_bytes(socket, 4);
    if (request[3] == 3) {
      const auto size = co_await read_bytes(socket, 1);
      asked.targets.push_back(co_await read_bytes(socket, static_cast<std::size_t>(size[0])));
    } else {
      const auto bytes = co_await read_bytes(socket, request[3] == 1 ? 4 : 16);
      asio::ip::address_v4::bytes_type v4{};
      if (request[3] == 1) std::copy_n(bytes.begin(), 4, v4.begin());
      asked.targets.push_back(request[3] == 1 ? asio::ip::address_v4(v4).to_string() : "v6");
    }
    const auto port = co_await read_bytes(socket, 2);
    const std::string answer = std::string("\x05") + reply + std::string("\x00\x03\x04host\x12\x34", 9);
    co_await asio::async_write(socket, asio::buffer(answer), asio::use_awaitable);
    if (reply != 0) co_return;
    const auto saying_so = saying("HTTP/1.1 200 OK\r\nContent-Length: 13\r\n\r\nfrom upstream");
    co_await saying_so(socket);
  };
}

class UpstreamProxyTest : public EgressProxyTest {
 protected:
  std::unique_ptr<EgressProxy::Pass> admit(std::string_view form, std::uint16_t port) {
    const auto route = parse_route(fmt::format(fmt::runtime(form), port)).value();
    return proxy->admit({.upstream = route.upstream});
  }
  Asked asked;
};

TEST_F(UpstreamProxyTest, AsksAnHttpProxyForTheNameItself) {
  run(EgressRules{}, {}, [this]() -> Task<void> {
    Origin upstream(context, origins, http_upstream(asked, 200));
    const auto job = admit("http://me:p%40ss@127.0.0.1:{}", upstream.port());
    Client c(context, job->proxy_url());
    EXPECT_EQ((co_await c.get("http://no-such-name.invalid/a")).body(), "from upstream");
    EXPECT_EQ(asked.targets, std::vector<std::string>{"no-such-name.invalid:80"});
    EXPECT_EQ(asked.credentials, std::vector<std::string>{"Basic " + Client::base64("me:p@ss").substr(0)});
    EXPECT_GT(job->traffic().received, 13U);
  });
}

TEST_F(UpstreamProxyTest, AsksASocksProxyForAJudgedAddressOrForTheName) {
  run(private_networks(), {}, [this]() -> Task<void> {
    Origin upstream(context, origins, socks_upstream(asked, 0));
    const auto local = admit("socks5://me:pass@127.0.0.1:{}", upstream.port());
    Client one(context, local->proxy_url());
    EXPECT_EQ((co_await one.get("http://localhost:8000/")).body(), "from upstream");
    const auto remote = admit("socks5h://127.0.0.1:{}", upstream.port());
    Client two(context, remote->proxy_url());
    EXPECT_EQ((co_await two.get("http://no-such-name.invalid/")).body(), "from upstream");
    EXPECT_EQ(asked.targets, (std::vector<std::string>{"127.0.0.1", "no-such-name.invalid"}));
    EXPECT_EQ(asked.credentials, std::vector<std::string>{"me:pass"});
  });
}

TEST_F(UpstreamProxyTest, AsksForNothingThatTheJudgeRefuses) {
  EgressRules rules;
  rules.denied_domains = {"denied.example"};
  run(rules, {}, [this]() -> Task<void> {
    for (const auto* form : {"http://127.0.0.1:{}", "socks5://127.0.0.1:{}", "socks5h://127.0.0.1:{}"}) {
      Origin upstream(context, origins, http_upstream(asked, 200));
      const auto job = admit(form, upstream.port());
      for (const auto* url : {"http://127.0.0.1:8000/", "http://2130706433/", "http://localhost/",
                              "http://10.0.0.5/", "http://[::1]/", "http://[::ffff:10.0.0.5]/",
                              "http://example.com:25/", "http://x.denied.example/"}) {
        Client c(context, job->proxy_url());
        EXPECT_EQ((co_await c.get(url)).result_int(), 403U) << form << " " << url;
      }
      EXPECT_EQ(upstream.connections(), 0) << form;
    }
  });
}

TEST_F(UpstreamProxyTest, TellsAFailureOfTheUpstreamWithoutItsCredentials) {
  run(private_networks(), {}, [this]() -> Task<void> {
    Origin forbids(context, origins, http_upstream(asked, 407));
    Origin fails(context, origins, socks_upstream(asked, 5));
    Origin gone(context, origins, [](tcp::socket&) -> Task<void> { co_return; });
    for (const auto& [form, port] : {std::pair("http://me:secret@127.0.0.1:{}", forbids.port()),
                                     std::pair("socks5://me:secret@127.0.0.1:{}", fails.port()),
                                     std::pair("socks5h://me:secret@127.0.0.1:{}", gone.port())}) {
      const auto job = admit(form, port);
      Client c(context, job->proxy_url());
      const Response response = co_await c.get("http://127.0.0.1:8000/");
      EXPECT_EQ(response.result_int(), 502U) << form;
      EXPECT_EQ(response.body().find("secret"), std::string::npos) << response.body();
      const Error failure = job->upstream_failure().value_or(Error{});
      EXPECT_EQ(failure.reason, "upstream_failed") << form;
      EXPECT_EQ(failure.message.find("secret"), std::string::npos) << failure.message;
      EXPECT_FALSE(job->refusal());
    }
  });
}

TEST_F(UpstreamProxyTest, DoesNotWaitForAnUpstreamForever) {
  run(private_networks(), {.connect_timeout = 1s}, [this]() -> Task<void> {
    Origin silent(context, origins, [](tcp::socket& socket) -> Task<void> {
      std::string swallowed;
      co_await asio::async_read(socket, asio::dynamic_buffer(swallowed), as_result);
    });
    const auto job = admit("socks5://127.0.0.1:{}", silent.port());
    Client c(context, job->proxy_url());
    EXPECT_EQ((co_await c.get("http://127.0.0.1:8000/")).result_int(), 504U);
    EXPECT_EQ(job->upstream_failure().value_or(Error{}).reason, "upstream_timeout");
  });
}

}  // namespace
}  // namespace trawl::net
