#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

#include "api/event_stream.h"
#include "api/firehose_socket.h"
#include "async/run.h"

namespace trawl::api {
namespace {

// A watcher that takes a message when the test lets it.
class SlowSocket final : public http::WebSocket {
 public:
  explicit SlowSocket(asio::any_io_executor executor) : changed_(executor) {}

  Task<Result<void>> send(std::string text) override {
    while (held && !left) co_await changed_.wait();
    if (left) co_return fail(Errc::unavailable, "gone");
    sent.push_back(parse_json(text)->as_object());
    changed_.notify_all();
    co_return Result<void>();
  }
  Task<std::optional<std::string>> receive() override {
    while (!left) co_await changed_.wait();
    co_return std::nullopt;
  }
  Task<void> close(std::uint16_t why, std::string) override {
    code = why;
    leave();
    co_return;
  }
  void hold(bool wait) {
    held = wait;
    changed_.notify_all();
  }
  void leave() {
    left = true;
    changed_.notify_all();
  }
  Task<void> until(std::size_t count) {
    while (sent.size() < count && !left) co_await changed_.wait_for(std::chrono::seconds(10));
  }

  std::vector<json::object> sent;
  bool held = false, left = false;
  std::uint16_t code = 0;

 private:
  Event changed_;
};

class FirehoseTest : public ::testing::Test {
 protected:
  events::Event status(JobId job, std::int64_t seq) {
    return {.seq = seq,
            .job = job,
            .type = events::Type::status,
            .at = clock.now(),
            .data = {{"status", "running"}, {"final", false}}};
  }

  // Watches as `caller` while `body` runs.
  void watch(http::Caller caller, std::function<Task<void>(SlowSocket&, events::Bus&)> body) {
    asio::io_context context;
    events::Bus bus(context.get_executor());
    http::Router router;
    FirehoseSocket firehose(
        bus,
        [this](JobId job) -> Task<Result<std::string>> {
          co_return owners.contains(job) ? Result<std::string>(owners.at(job))
                                         : fail(Errc::not_found, "gone");
        },
        clock, [this](http::Caller) -> Task<bool> { co_return admitted; });
    firehose.add_to(router);
    SlowSocket socket(context.get_executor());
    const auto all = [&]() -> Task<void> {
      http::Request request;
      request.path = "/ws";
      request.caller = caller;
      const auto* route = router.websocket(request);
      Scope scope(co_await asio::this_coro::executor);
      scope.spawn("firehose", route->handler(request, socket));
      co_await socket.until(1);
      co_await body(socket, bus);
      socket.leave();
      co_await scope.join();
    };
    asio::co_spawn(context, all(), asio::detached);
    context.run_for(std::chrono::seconds(30));
    EXPECT_TRUE(socket.left);
  }

  SystemClock clock;
  std::map<JobId, std::string> owners;
  JobId mine = JobId::make(clock.now()), theirs = JobId::make(clock.now());
  bool admitted = true;

  void SetUp() override { owners = {{mine, "me"}, {theirs, "them"}}; }
};

TEST_F(FirehoseTest, TellsOfNobodyElsesJobs) {
  watch({.key = "k", .owner = "me"}, [&](SlowSocket& socket, events::Bus& bus) -> Task<void> {
    bus.publish(status(theirs, 1));
    bus.publish(status(JobId::make(clock.now()), 2));
    bus.publish(status(mine, 3));
    co_await socket.until(2);
    EXPECT_EQ(socket.sent.size(), 2u);
    EXPECT_EQ(socket.sent.back().at("seq").as_int64(), 3);
  });
}

TEST_F(FirehoseTest, DropsWhatASlowWatcherLetsPileUpAndSaysSo) {
  watch({.key = "k", .owner = "me"}, [&](SlowSocket& socket, events::Bus& bus) -> Task<void> {
    socket.hold(true);
    for (std::int64_t seq = 1; seq <= 2000; ++seq) bus.publish(status(mine, seq));
    socket.hold(false);
    co_await socket.until(2);
    bus.publish(status(mine, 3000));
    while (socket.sent.back().at("type") != "status" || socket.sent.back().at("seq") != 3000)
      co_await socket.until(socket.sent.size() + 1);
    std::size_t resyncs = 0;
    for (const auto& message : socket.sent) resyncs += message.at("type") == "resync" ? 1 : 0;
    EXPECT_EQ(resyncs, 1u);
    EXPECT_LT(socket.sent.size(), 300u);
  });
}

TEST_F(FirehoseTest, EndsWithItsKey) {
  watch({.key = "k", .owner = "me"}, [&](SlowSocket& socket, events::Bus& bus) -> Task<void> {
    admitted = false;
    bus.publish(status(mine, 1));
    while (socket.code == 0) co_await socket.until(2);
    EXPECT_EQ(socket.code, 4001);
    EXPECT_EQ(socket.sent.size(), 1u);
  });
}

TEST(EventText, IsWhatTheHtmlStandardReads) {
  EXPECT_EQ(event_text({.seq = 7, .message = {{"type", "log"}, {"message", "a\nb"}}}),
            "id: 7\nevent: log\ndata: {\"type\":\"log\",\"message\":\"a\\nb\"}\n\n");
  EXPECT_EQ(event_text({.seq = 0, .message = {{"type", "progress"}}}),
            "event: progress\ndata: {\"type\":\"progress\"}\n\n");
}

}  // namespace
}  // namespace trawl::api
