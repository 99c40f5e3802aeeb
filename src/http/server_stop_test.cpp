#include "http/server_fixture.h"

namespace trawl::http {
namespace {

class HttpServerStop : public ServerTest {
 protected:
  HttpServerStop() {
    router.add(open_route("GET", "/hello"), text("hello"));
    router.add(open_route("GET", "/wait"), [this](Request) -> Task<Response> {
      co_await gate.pass();
      co_return Response{.status = 200, .headers = {}, .body = "waited"};
    });
  }

  Gate gate{context};
};

TEST_F(HttpServerStop, LetsARequestInFlightFinish) {
  start();
  RawClient client(port());
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  gate.await_reached();
  auto stopped = stop(60s);
  gate.open();
  const Reply reply = client.reply();
  EXPECT_EQ(reply.body, "waited");
  EXPECT_EQ(reply.field("Connection"), "close");
  EXPECT_EQ(client.receive_all(), "");
  stopped.get();
}

TEST_F(HttpServerStop, ClosesIdleConnectionsAtOnce) {
  start();
  RawClient fresh(port()), used(port());
  EXPECT_EQ(used.get("/hello").status, 200);
  const auto begun = std::chrono::steady_clock::now();
  auto stopped = stop(60s);
  EXPECT_EQ(used.receive_all(), "");
  EXPECT_EQ(fresh.receive_all(), "");
  stopped.get();
  EXPECT_LT(std::chrono::steady_clock::now() - begun, 20s);
}

TEST_F(HttpServerStop, CutsOffARequestThatOutlastsTheGrace) {
  start();
  RawClient client(port());
  client.send("GET /wait HTTP/1.1\r\nHost: x\r\n\r\n");
  gate.await_reached();
  stop(50ms).get();
  EXPECT_EQ(client.receive_all(), "");
}

TEST_F(HttpServerStop, AcceptsNothingAfterwards) {
  start();
  const std::uint16_t old = port();
  stop(0ms).get();
  EXPECT_FALSE(RawClient(old).connected());
}

TEST_F(HttpServerStop, DoesNotWaitForARequestThatNeverCame) {
  start();
  RawClient half(port());
  half.send("GET /hello HTTP/1.1\r\nHo");
  RawClient probe(port());
  EXPECT_EQ(probe.get("/hello").status, 200);
  stop(50ms).get();
  EXPECT_EQ(half.receive_all(), "");
}

}  // namespace
}  // namespace trawl::http
