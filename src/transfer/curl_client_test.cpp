#include <chrono>

#include "async/event.h"
#include "transfer/transfer_fixture.h"

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

class CurlClientTest : public TransferTest {};

media::Cookie cookie(std::string name, std::string domain, std::string path = "/") {
  return {.name = std::move(name),
          .value = "1",
          .domain = std::move(domain),
          .host_only = true,
          .path = std::move(path)};
}

TEST_F(CurlClientTest, BringsABodyAndReusesTheConnection) {
  const auto server =
      origin([](const Request&) { return Reply{.headers = {{"ETag", "\"a\""}}, .body = "hello"}; });
  run([&]() -> Task<void> {
    for (int i = 0; i < 2; ++i) {
      TextSink sink;
      const auto head = co_await client->fetch({.url = server->url()}, sink, Stop());
      EXPECT_TRUE(head) << head.error().message;
      EXPECT_EQ(sink.text, "hello");
      EXPECT_EQ(sink.heads.at(0).header("etag"), "\"a\"");
    }
  });
  EXPECT_EQ(server->connections(), 1);
  EXPECT_EQ(server->requests().at(0)["Accept-Encoding"], "identity");
}

TEST_F(CurlClientTest, AsksForARangeUnderACondition) {
  const auto server = origin([](const Request&) { return Reply{.status = 206, .body = "x"}; });
  run([&]() -> Task<void> {
    TextSink sink;
    transfer::Request get{.url = server->url(), .headers = {{"Range", "bytes=0-1"}, {"X-Mine", "yes"}}};
    get.range = {5, kToTheEnd};
    get.if_range = "\"v1\"";
    EXPECT_TRUE(co_await client->fetch(get, sink, Stop()));
  });
  const auto& request = server->requests().at(0);
  EXPECT_EQ(request["Range"], "bytes=5-");
  EXPECT_EQ(request.count("Range"), 1U);
  EXPECT_EQ(request["If-Range"], "\"v1\"");
  EXPECT_EQ(request["X-Mine"], "yes");
}

TEST_F(CurlClientTest, DropsAuthorizationAndForeignCookiesOnARedirectToAnotherOrigin) {
  const auto second = origin([](const Request&) { return Reply{.body = "there"}; });
  const auto first = origin([&](const Request&) {
    return Reply{.status = 302, .headers = {{"Location", second->url("/b", "localhost")}}, .body = "moved"};
  });
  run([&]() -> Task<void> {
    TextSink sink;
    transfer::Request get{.url = first->url(),
                          .headers = {{"Authorization", "Bearer s"}, {"Cookie", "raw=1"}}};
    get.cookies = {cookie("here", "127.0.0.1"), cookie("elsewhere", "example.com"),
                   cookie("deep", "127.0.0.1", "/deep")};
    const auto head = co_await client->fetch(get, sink, Stop());
    EXPECT_TRUE(head) << head.error().message;
    EXPECT_EQ(head->url, second->url("/b", "localhost"));
    EXPECT_EQ(sink.text, "there");
  });
  EXPECT_EQ(first->requests().at(0)["Authorization"], "Bearer s");
  EXPECT_EQ(first->requests().at(0)["Cookie"], "here=1");
  EXPECT_EQ(second->requests().at(0).count("Authorization"), 0U);
  EXPECT_EQ(second->requests().at(0).count("Cookie"), 0U);
}

TEST_F(CurlClientTest, KeepsAuthorizationOnARedirectWithinTheOrigin) {
  const auto server = origin([](const Request& request) {
    if (request.target() == "/b") return Reply{.body = "b"};
    return Reply{.status = 307, .headers = {{"Location", "b"}}};
  });
  run([&]() -> Task<void> {
    TextSink sink;
    EXPECT_TRUE(co_await client->fetch({.url = server->url("/a"), .headers = {{"Authorization", "x"}}}, sink,
                                       Stop()));
    EXPECT_EQ(sink.text, "b");
  });
  EXPECT_EQ(server->requests().at(1)["Authorization"], "x");
}

TEST_F(CurlClientTest, GivesUpOnARedirectLoop) {
  limits.redirects = 3;
  const auto server =
      origin([](const Request&) { return Reply{.status = 301, .headers = {{"Location", "/"}}}; });
  run([&]() -> Task<void> {
    TextSink sink;
    const auto head = co_await client->fetch({.url = server->url("/")}, sink, Stop());
    EXPECT_EQ(head.error().reason, "too_many_redirects");
  });
  EXPECT_EQ(server->requests().size(), 4U);
}

TEST_F(CurlClientTest, NeverDialsLoopbackUnderTheDefaultPolicy) {
  policy = net::EgressPolicy({});
  const auto server = origin([](const Request&) { return Reply{.body = "secret"}; });
  run([&]() -> Task<void> {
    for (const auto* host : {"127.0.0.1", "localhost", "0x7f.1"}) {
      TextSink sink;
      const auto head = co_await client->fetch({.url = server->url("/", host)}, sink, Stop());
      EXPECT_EQ(head.error().code, Errc::forbidden) << host;
    }
  });
  EXPECT_EQ(server->connections(), 0);
}

TEST_F(CurlClientTest, RefusesARedirectToAFile) {
  const auto server = origin(
      [](const Request&) { return Reply{.status = 302, .headers = {{"Location", "file:///etc/passwd"}}}; });
  run([&]() -> Task<void> {
    TextSink sink;
    const auto head = co_await client->fetch({.url = server->url("/")}, sink, Stop());
    EXPECT_EQ(head.error().reason, "redirect_not_allowed");
  });
}

TEST_F(CurlClientTest, RefusesABodyInAnotherEncoding) {
  const auto server =
      origin([](const Request&) { return Reply{.headers = {{"Content-Encoding", "gzip"}}, .body = "z"}; });
  run([&]() -> Task<void> {
    TextSink sink;
    const auto head = co_await client->fetch({.url = server->url("/")}, sink, Stop());
    EXPECT_EQ(head.error().reason, "unexpected_encoding");
    EXPECT_TRUE(sink.heads.empty());
  });
}

TEST_F(CurlClientTest, ReportsABodyShorterThanAnnounced) {
  const auto server = origin([](const Request&) { return Reply{.body = "short", .length = 50}; });
  run([&]() -> Task<void> {
    TextSink sink;
    const auto head = co_await client->fetch({.url = server->url("/")}, sink, Stop());
    EXPECT_EQ(head.error().reason, "truncated");
  });
}

TEST_F(CurlClientTest, EndsWithCancelledWhenStopped) {
  const auto server =
      origin([](const Request&) { return Reply{.body = std::string(100, 'x'), .stall_after = 10}; });
  run([&]() -> Task<void> {
    struct Stopping final : Sink {
      Result<void> begin(const Head&) override { return {}; }
      Result<void> data(std::span<const char>) override {
        asio::post(executor, [this] { stop.set(); });
        return {};
      }
      asio::any_io_executor executor;
      Stop stop;
    } sink;
    sink.executor = context.get_executor();
    const auto head = co_await client->fetch({.url = server->url("/")}, sink, sink.stop);
    EXPECT_EQ(head.error().code, Errc::cancelled);
  });
}

TEST_F(CurlClientTest, GivesUpOnAnOriginThatFallsSilent) {
  limits.quiet_timeout = 1s;
  const auto server =
      origin([](const Request&) { return Reply{.body = std::string(100, 'x'), .stall_after = 10}; });
  run([&]() -> Task<void> {
    TextSink sink;
    const auto head = co_await client->fetch({.url = server->url("/")}, sink, Stop());
    EXPECT_EQ(head.error().reason, "origin_timeout");
  });
}

TEST_F(CurlClientTest, KeepsToTheRateOfARequest) {
  const auto server = origin([](const Request&) { return Reply{.body = std::string(400'000, 'x')}; });
  run([&]() -> Task<void> {
    TextSink sink;
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_TRUE(co_await client->fetch({.url = server->url("/")}, sink, Stop(), 400'000));
    const auto took = std::chrono::steady_clock::now() - begin;
    EXPECT_EQ(sink.text.size(), 400'000U);
    EXPECT_GT(took, 700ms);
    EXPECT_LT(took, 3s);
  });
}

TEST_F(CurlClientTest, SharesTheRateOfAHostAmongAllThatComesFromThereAndNobodyElse) {
  limits.bytes_per_second_per_host = 400'000;
  const auto slow = origin([](const Request&) { return Reply{.body = std::string(200'000, 'x')}; });
  const auto other = origin([](const Request&) { return Reply{.body = std::string(20'000, 'x')}; });
  run([&]() -> Task<void> {
    Scope scope(context.get_executor());
    const auto began = std::chrono::steady_clock::now();
    std::vector<std::chrono::steady_clock::duration> took(3);
    for (std::size_t i = 0; i < took.size(); ++i) {
      const auto& from = i < 2 ? *slow : *other;
      scope.spawn("get", [](HttpClient& c, std::string url, auto start, auto& out) -> Task<void> {
        TextSink sink;
        EXPECT_TRUE(co_await c.fetch({.url = url, .own_connection = true}, sink, Stop()));
        out = std::chrono::steady_clock::now() - start;
      }(*client, from.url("/"), began, took[i]));
    }
    co_await scope.join();
    EXPECT_GT(std::max(took[0], took[1]), 800ms);
    EXPECT_LT(took[2], 500ms);
  });
}

TEST_F(CurlClientTest, HoldsBackRequestsBeyondTheCapOfAHost) {
  limits.connections_per_host = 2;
  const auto server = origin(
      [](const Request&) { return Reply{.body = std::string(2000, 'x'), .bytes_per_second = 40'000}; });
  run([&]() -> Task<void> {
    Scope scope(context.get_executor());
    int done = 0;
    for (int i = 0; i < 6; ++i) {
      scope.spawn("get", [](HttpClient& c, std::string url, int& count) -> Task<void> {
        TextSink sink;
        if (co_await c.fetch({.url = url, .own_connection = true}, sink, Stop())) ++count;
      }(*client, server->url("/"), done));
    }
    co_await scope.join();
    EXPECT_EQ(done, 6);
  });
  EXPECT_EQ(server->most_open(), 2);
}

TEST_F(CurlClientTest, LetsNoConnectionMoreWaitForAPlace) {
  limits.connections_per_host = 1;
  const auto server =
      origin([](const Request&) { return Reply{.body = std::string(100, 'x'), .stall_after = 10}; });
  run([&]() -> Task<void> {
    Scope scope(context.get_executor());
    scope.spawn("get", [](HttpClient& c, std::string url) -> Task<void> {
      TextSink sink;
      (void)co_await c.fetch({.url = url}, sink, Stop());
    }(*client, server->url("/")));
    while (server->body_bytes() == 0) co_await sleep_for(1ms);
    TextSink sink;
    const auto more = co_await client->fetch({.url = server->url("/"), .extra = true}, sink, Stop());
    EXPECT_EQ(more.error().reason, kHostBusy);
    co_await scope.close();
  });
  EXPECT_EQ(server->connections(), 1);
}

TEST_F(CurlClientTest, EndsWhatIsUnderWayWhenItsCoroutineIsCancelled) {
  const auto server =
      origin([](const Request&) { return Reply{.body = std::string(100, 'x'), .stall_after = 10}; });
  run([&]() -> Task<void> {
    Scope scope(context.get_executor());
    scope.spawn("get", [](HttpClient& c, std::string url) -> Task<void> {
      TextSink sink;
      const auto head = co_await c.fetch({.url = url}, sink, Stop());
      EXPECT_EQ(head.error().code, Errc::cancelled);
    }(*client, server->url("/")));
    while (server->body_bytes() == 0) co_await sleep_for(1ms);
    co_await scope.close();
  });
}

}  // namespace
}  // namespace trawl::transfer
