#include "async/wire.h"

#include <condition_variable>
#include <deque>
#include <latch>
#include <mutex>

#include <gtest/gtest.h>

#include "async/event.h"
#include "async/run.h"

namespace trawl {
namespace {

using namespace std::chrono_literals;

// A server in memory that can be away, and that loses its links when it goes.
struct Server {
  std::mutex mutex;
  std::condition_variable changed;
  std::deque<std::string> messages;
  bool away = false;
  int absences = 0;  // A link of before one of them is dead.

  void go_away(bool away_now) {
    const std::lock_guard lock(mutex);
    away = away_now;
    absences += away ? 1 : 0;
    changed.notify_all();
  }
};

class Link final : public WireLink {
 public:
  explicit Link(Server& server) : server_(server), since_(server.absences) {}
  Result<void> send(const std::vector<std::string>& messages) override {
    const std::lock_guard lock(server_.mutex);
    if (lost()) return fail(Errc::unavailable, "away");
    for (const auto& message : messages) server_.messages.push_back(message);
    server_.changed.notify_all();
    return {};
  }
  Result<std::vector<std::string>> receive(std::chrono::milliseconds limit) override {
    std::unique_lock lock(server_.mutex);
    server_.changed.wait_for(lock, limit, [&] { return lost() || !server_.messages.empty(); });
    if (lost()) return fail(Errc::unavailable, "away");
    std::vector<std::string> out(server_.messages.begin(), server_.messages.end());
    server_.messages.clear();
    return out;
  }

 private:
  [[nodiscard]] bool lost() const { return server_.away || server_.absences != since_; }

  Server& server_;
  const int since_;
};

struct WireTest : ::testing::Test {
  void SetUp() override {
    const Connect connect = [this]() -> Result<std::unique_ptr<WireLink>> {
      const std::lock_guard lock(server.mutex);
      if (server.away) return fail(Errc::unavailable, "away");
      return std::make_unique<Link>(server);
    };
    wire = make_wire(context.get_executor(), "test", connect, connect);
  }
  void listen() {
    wire->start({.heard = [this](std::string message) { heard.push_back(message), changed.notify_all(); },
                 .missed = [this] { ++missed, changed.notify_all(); }});
  }
  // Runs the loop until `done` holds; false after 10 s.
  bool becomes(const std::function<bool()>& done) {
    return run_to_end(context, [&]() -> Task<bool> {
      const auto until = std::chrono::steady_clock::now() + 10s;
      while (!done() && std::chrono::steady_clock::now() < until) co_await changed.wait_for(20ms);
      co_return done();
    }());
  }

  asio::io_context context;
  Event changed{context.get_executor()};
  Server server;
  std::unique_ptr<Wire> wire;
  std::vector<std::string> heard;
  int missed = 0;
};

TEST_F(WireTest, CarriesMessagesInTheirOrder) {
  listen();
  for (const char* text : {"a", "b", "c"}) wire->send(text);
  EXPECT_TRUE(becomes([&] { return heard.size() == 3; }));
  EXPECT_EQ(heard, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(missed, 0);
}

TEST_F(WireTest, SaysThatItMissedSomethingWhenTheServerIsBack) {
  listen();
  wire->send("a");
  ASSERT_TRUE(becomes([&] { return heard.size() == 1; }));
  server.go_away(true);
  wire->send("lost");
  server.go_away(false);
  EXPECT_TRUE(becomes([&] { return missed == 1; }));
  wire->send("b");
  EXPECT_TRUE(becomes([&] { return !heard.empty() && heard.back() == "b"; }));
}

TEST_F(WireTest, StartsWhileTheServerIsAway) {
  server.go_away(true);
  listen();
  server.go_away(false);
  wire->send("a");
  EXPECT_TRUE(becomes([&] { return missed == 1 || !heard.empty(); }));
}

// Says when it goes.
class Farewell final : public WireLink {
 public:
  explicit Farewell(std::latch& gone) : gone_(gone) {}
  ~Farewell() override { gone_.count_down(); }
  Result<void> send(const std::vector<std::string>&) override { return {}; }
  Result<std::vector<std::string>> receive(std::chrono::milliseconds) override {
    return std::vector<std::string>();
  }

 private:
  std::latch& gone_;
};

TEST_F(WireTest, CanBeStoppedTwiceWhileItsLinkIsBeingMade) {
  std::latch sends(1), listens(1), sender_gone(1), listener_gone(1);
  // The sender lets its link go once the wire is stopped; only then the listener gets one.
  wire = make_wire(
      context.get_executor(), "test",
      [&] {
        sends.count_down();
        return Result<std::unique_ptr<WireLink>>(std::make_unique<Farewell>(sender_gone));
      },
      [&] {
        listens.count_down();
        sender_gone.wait();
        return Result<std::unique_ptr<WireLink>>(std::make_unique<Farewell>(listener_gone));
      });
  listen();
  wire->send("a");
  sends.wait();
  listens.wait();
  wire->stop();
  listener_gone.wait();
  wire->stop();
}

TEST_F(WireTest, TakesNothingWhileItIsDeaf) {
  wire->deafen(true);
  listen();
  wire->send("a");
  EXPECT_FALSE(becomes([&, until = std::chrono::steady_clock::now() + 200ms] {
                 return !heard.empty() || std::chrono::steady_clock::now() > until;
               }) &&
               !heard.empty());
  wire->deafen(false);
  EXPECT_TRUE(becomes([&] { return heard.size() == 1; }));
}

TEST_F(WireTest, SaysNothingMoreAfterItWasStopped) {
  listen();
  wire->send("a");
  wire->stop();
  heard.clear();
  context.restart();
  context.poll();
  EXPECT_TRUE(heard.empty());
}

}  // namespace
}  // namespace trawl
