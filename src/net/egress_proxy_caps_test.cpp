#include "net/egress_proxy_fixture.h"

namespace trawl::net {
namespace {

using namespace std::chrono_literals;

class EgressProxyCaps : public EgressProxyTest {};

std::string refusal_of(const Response& response) {
  return std::string(response["X-Trawl-Refused"]);
}

Response text(std::string body, http::status status = http::status::ok) {
  Response out(status, 11);
  out.body() = std::move(body);
  return out;
}

TEST_F(EgressProxyCaps, ClosesATunnelThatCrawlsAlthoughItIsNeverIdle) {
  const EgressProxy::Options options{.min_bytes_per_window = 1000, .pace_window = 1s};
  run(private_networks(), options, [this]() -> Task<void> {
    Origin origin(context, origins, [](tcp::socket& socket) -> Task<void> {
      for (boost::system::error_code gone; !gone; co_await sleep_for(50ms))
        gone = std::get<0>(co_await asio::async_write(socket, asio::buffer("x", 1), as_result));
    });
    Client c = client();
    EXPECT_EQ(co_await c.connect(fmt::format("127.0.0.1:{}", origin.port())), 200u);
    const std::string crawled = co_await c.read_to_end();
    EXPECT_LT(crawled.size(), 1000u);
    EXPECT_EQ(c.last_error, asio::error::connection_reset);
  });
}

TEST_F(EgressProxyCaps, EndsAJobThatMovesMoreThanItMay) {
  run([this]() -> Task<void> {
    Origin origin(context, origins,
                  answering([](const Request&) { return text(std::string(200'000, 'x')); }));
    std::vector<std::string> told;
    auto job = proxy->admit(
        {.max_bytes = 300'000, .on_refusal = [&](const Error& error) { told.push_back(error.reason); }});
    Client first(context, job->proxy_url());
    EXPECT_EQ((co_await first.get(origin.url("/"))).body().size(), 200'000u);
    Client second(context, job->proxy_url());
    co_await second.get(origin.url("/"));
    EXPECT_TRUE(second.last_error);
    Client third(context, job->proxy_url());
    const Response refused = co_await third.get(origin.url("/"));
    EXPECT_EQ(refused.result_int(), 413u);
    EXPECT_EQ(refusal_of(refused), "too_much_traffic");
    EXPECT_EQ(told, std::vector<std::string>{"too_much_traffic"});
    EXPECT_GT(job->traffic().sent, 50u);
    EXPECT_EQ(job->traffic().connections, 2u);
    EXPECT_EQ((co_await client().get(origin.url("/"))).result_int(), 200u);
  });
}

TEST_F(EgressProxyCaps, CountsWhatIsUploadedToo) {
  run([this]() -> Task<void> {
    Origin origin(context, origins, echo);
    auto job = proxy->admit({.max_bytes = 50'000});
    Client c(context, job->proxy_url());
    EXPECT_EQ(co_await c.connect(fmt::format("127.0.0.1:{}", origin.port())), 200u);
    co_await c.send(std::string(60'000, 'u'));
    co_await c.read_to_end();
    EXPECT_EQ(job->refusal().value_or(Error{}).reason, "too_much_traffic");
  });
}

TEST_F(EgressProxyCaps, LimitsTheConnectionsOfAJob) {
  run(private_networks(), {.max_tunnels_per_job = 2}, [this]() -> Task<void> {
    Origin origin(context, origins, echo);
    const auto authority = fmt::format("127.0.0.1:{}", origin.port());
    {
      Client one = client();
      Client two = client();
      EXPECT_EQ(co_await one.connect(authority), 200u);
      EXPECT_EQ(co_await two.connect(authority), 200u);
      Client three = client();
      EXPECT_EQ(co_await three.connect(authority), 429u);
      auto other = proxy->admit({});
      Client of_other_job(context, other->proxy_url());
      EXPECT_EQ(co_await of_other_job.connect(authority), 200u);
      one.socket.shutdown(tcp::socket::shutdown_send);
      co_await one.read_to_end();
    }
  });
}

TEST_F(EgressProxyCaps, AnswersForAnOriginThatStaysSilent) {
  run(private_networks(), {.idle_timeout = 1s}, [this]() -> Task<void> {
    Origin origin(context, origins, [](tcp::socket& socket) -> Task<void> {
      std::string swallowed;
      co_await asio::async_read(socket, asio::dynamic_buffer(swallowed), as_result);
    });
    Client c = client();
    EXPECT_EQ((co_await c.get(origin.url("/"))).result_int(), 504u);
  });
}

TEST_F(EgressProxyCaps, ClosesATunnelNobodyUses) {
  run(private_networks(), {.idle_timeout = 1s}, [this]() -> Task<void> {
    Origin origin(context, origins, echo);
    Client c = client();
    EXPECT_EQ(co_await c.connect(fmt::format("127.0.0.1:{}", origin.port())), 200u);
    const auto start = std::chrono::steady_clock::now();
    co_await c.read_to_end();
    EXPECT_GE(std::chrono::steady_clock::now() - start, 900ms);
  });
}

TEST_F(EgressProxyCaps, ClosesAClientThatDoesNotFinishItsRequest) {
  run(private_networks(), {.connect_timeout = 1s}, [this]() -> Task<void> {
    Client c = client();
    co_await c.send("GET http://exam");
    EXPECT_EQ(co_await c.read_to_end(), "");
  });
}

}  // namespace
}  // namespace trawl::net
