#include "net/egress_proxy_fixture.h"

namespace trawl::net {
namespace {

// A service of the operator's, behind a policy that closes this machine to jobs.
class EgressServiceTest : public EgressProxyTest {
 protected:
  Origin service{context, origins, answering([this](const Request& request) {
                   hosts.emplace_back(request[http::field::host]);
                   Response out(http::status::ok, 11);
                   out.body() =
                       std::string(request.method_string()) + std::string(request.target()) + request.body();
                   return out;
                 })};
  EgressProxy::Options with_service() {
    return {.service = EgressProxy::Options::Service{.host = "127.0.0.1", .port = service.port()}};
  }
  std::vector<std::string> hosts;
};

TEST_F(EgressServiceTest, IsReachedUnderTheNameOfTheJobAndByNothingElse) {
  run(EgressRules{}, with_service(), [this]() -> Task<void> {
    Client c = client();
    co_await c.send(c.head("POST " + pass->service_url() + "/get_pot", "Content-Length: 2\r\n") + "{}");
    EXPECT_EQ((co_await c.read()).body(), "POST/get_pot{}");
    EXPECT_EQ(hosts, std::vector{fmt::format("127.0.0.1:{}", service.port())});
    // On the connection that stands as on another one.
    EXPECT_EQ((co_await c.get(service.url("/"))).result_int(), 403u);
    EXPECT_EQ((co_await client().get(service.url("/"))).result_int(), 403u);
    EXPECT_EQ(service.connections(), 1);
  });
}

TEST_F(EgressServiceTest, IsNotReachedOnAConnectionThatWasOpenedToIt) {
  run(private_networks(), with_service(), [this]() -> Task<void> {
    Client c = client();
    EXPECT_EQ((co_await c.get(pass->service_url() + "/a")).body(), "GET/a");
    EXPECT_EQ((co_await c.get(service.url("/b"))).body(), "GET/b") << "judged, and dialled for itself";
    EXPECT_EQ(service.connections(), 2);
  });
}

TEST_F(EgressServiceTest, HasAnotherNameForEachJob) {
  run(EgressRules{}, with_service(), [this]() -> Task<void> {
    const auto other = proxy->admit({});
    EXPECT_NE(other->service_url(), pass->service_url());
    EXPECT_GE((co_await client().get(other->service_url() + "/")).result_int(), 400u);
    Client tunnel = client();
    EXPECT_GE(co_await tunnel.connect(pass->service_url().substr(7) + ":80"), 400u) << "only plain requests";
    EXPECT_EQ(service.connections(), 0);
  });
}

TEST_F(EgressServiceTest, HasNoNameWhenThereIsNone) {
  run(EgressRules{}, {}, [this]() -> Task<void> {
    EXPECT_EQ(pass->service_url(), "");
    co_return;
  });
}

TEST_F(EgressServiceTest, DoesNotGoThroughTheUpstreamOfTheJob) {
  run(EgressRules{}, with_service(), [this]() -> Task<void> {
    const auto route = parse_route("http://127.0.0.1:1").value();  // Nobody listens there.
    const auto job = proxy->admit({.upstream = route.upstream});
    Client c(context, job->proxy_url());
    EXPECT_EQ((co_await c.get(job->service_url() + "/ping")).body(), "GET/ping");
  });
}

}  // namespace
}  // namespace trawl::net
