#include <gmock/gmock.h>

#include "async/event.h"
#include "async/run.h"
#include "redis/pubsub_wire.h"
#include "redis/streams_wire.h"
#include "testing/redis_server.h"

namespace trawl::redis {
namespace {

using namespace std::chrono_literals;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::UnorderedElementsAre;

TEST(RedisUrl, NamesServerPasswordAndDatabase) {
  EXPECT_EQ(parse_url("redis://h"), (Address{.host = "h"}));
  EXPECT_EQ(parse_url("redis://:p%40ss@h:7000/3"),
            (Address{.host = "h", .port = 7000, .password = "p@ss", .database = 3}));
  EXPECT_EQ(parse_url("redis://me:x@[::1]/"), (Address{.host = "::1", .user = "me", .password = "x"}));
}

TEST(RedisUrl, IsRefusedWithoutRepeatingIt) {
  for (const char* text :
       {"", "h:6379", "http://h", "redis://", "redis://h/x", "redis://h:0", "redis://h?db=1"})
    EXPECT_FALSE(parse_url(text)) << text;
  EXPECT_THAT(parse_url("redis://:s3cret@h/x").error().message, ::testing::Not(HasSubstr("s3cret")));
}

struct RedisTest : ::testing::Test {
  // What one wire heard.
  struct Listener {
    Listener(RedisTest& test, std::unique_ptr<Wire> made) : wire(std::move(made)) {
      wire->start({.heard = [this, &test](
                                std::string m) { heard.push_back(std::move(m)), test.changed.notify_all(); },
                   .missed = [this, &test] { ++missed, test.changed.notify_all(); }});
    }
    std::unique_ptr<Wire> wire;
    std::vector<std::string> heard;
    int missed = 0;
  };

  std::unique_ptr<Wire> pubsub() { return make_pubsub_wire(server.address(), context.get_executor(), "c"); }
  std::unique_ptr<Wire> streams(std::string consumer, std::chrono::milliseconds idle = 10s,
                                std::size_t longest = 1'000) {
    return make_streams_wire(
        server.address(), context.get_executor(),
        {.prefix = "b", .consumer = std::move(consumer), .idle = idle, .longest = longest});
  }
  bool becomes(const std::function<bool()>& done) {
    return run_to_end(context, [&]() -> Task<bool> {
      const auto until = std::chrono::steady_clock::now() + 15s;
      while (!done() && std::chrono::steady_clock::now() < until) co_await changed.wait_for(20ms);
      co_return done();
    }());
  }
  Reply ask(const std::vector<std::string>& words) { return direct.command(words).value(); }
  std::int64_t length(const std::string& stream) { return ask({"XLEN", stream}).number; }

  asio::io_context context;
  Event changed{context.get_executor()};
  RedisServer server;
  Connection direct = Connection::open(server.address()).value();
};

TEST_F(RedisTest, PublishesToEverybodyWhoListens) {
  Listener a(*this, pubsub()), b(*this, pubsub());
  ASSERT_TRUE(becomes([&] { return ask({"PUBSUB", "NUMSUB", "c"}).list[1].number == 2; }));
  a.wire->send("one");
  a.wire->send("two");
  EXPECT_TRUE(becomes([&] { return a.heard.size() == 2 && b.heard.size() == 2; }));
  EXPECT_THAT(b.heard, ElementsAre("one", "two"));
}

TEST_F(RedisTest, ListensAgainWhenTheServerIsBackAndSaysThatItMissedSomething) {
  Listener a(*this, pubsub());
  ASSERT_TRUE(becomes([&] { return ask({"PUBSUB", "NUMSUB", "c"}).list[1].number == 1; }));
  server.stop();
  server.start();
  EXPECT_TRUE(becomes([&] { return a.missed == 1; }));
  EXPECT_TRUE(becomes([&] { return a.wire->send("x"), !a.heard.empty(); }));
}

TEST_F(RedisTest, GivesEachMessageOfAStreamToOneNodeAndKeepsNone) {
  Listener a(*this, streams("a")), b(*this, streams("b"));
  for (int i = 0; i < 50; ++i) a.wire->send(fmt::format("5 {}", i));
  EXPECT_TRUE(becomes([&] { return a.heard.size() + b.heard.size() == 50; }));
  EXPECT_TRUE(becomes([&] { return length("b:normal") == 0; }));
  std::set<std::string> all(a.heard.begin(), a.heard.end());
  all.insert(b.heard.begin(), b.heard.end());
  EXPECT_EQ(all.size(), 50u);
}

TEST_F(RedisTest, TakesUrgentMessagesFirst) {
  const auto sender = streams("sender");
  sender->deafen(true);
  sender->start({});
  for (const char* m : {"1 low", "5 normal", "10 high"}) sender->send(m);
  ASSERT_TRUE(becomes([&] { return length("b:low") + length("b:normal") + length("b:high") == 3; }));
  Listener a(*this, streams("a"));
  EXPECT_TRUE(becomes([&] { return a.heard.size() == 3; }));
  EXPECT_THAT(a.heard, ElementsAre("10 high", "5 normal", "1 low"));
}

TEST_F(RedisTest, TakesOverWhatADeadNodeLeftAndSetsAsideWhatNobodyConfirms) {
  ask({"XGROUP", "CREATE", "b:normal", "nodes", "0", "MKSTREAM"});
  ask({"XADD", "b:normal", "*", "m", "5 left"});
  ask({"XADD", "b:normal", "*", "m", "5 poison"});
  ask({"XREADGROUP", "GROUP", "nodes", "dead", "COUNT", "2", "STREAMS", "b:normal", ">"});
  const std::string poison = ask({"XPENDING", "b:normal", "nodes", "-", "+", "9"}).list[1].list[0].text;
  ask({"XCLAIM", "b:normal", "nodes", "dead", "0", poison, "RETRYCOUNT", "5"});
  Listener a(*this, streams("a", 200ms));
  EXPECT_TRUE(becomes([&] { return a.heard.size() == 1 && length("b:dead") == 1; }));
  EXPECT_THAT(a.heard, ElementsAre("5 left"));
  EXPECT_EQ(length("b:normal"), 0);
}

TEST_F(RedisTest, SetsAsideWhatIsNoMessage) {
  Listener a(*this, streams("a"));
  ask({"XADD", "b:normal", "*", "other", "field"});
  ask({"XADD", "b:normal", "*", "m", "99 x"});
  a.wire->send("5 good");
  EXPECT_TRUE(becomes([&] { return a.heard.size() == 1 && length("b:dead") == 2; }));
}

TEST_F(RedisTest, MakesItsGroupsAgainAfterAFlush) {
  Listener a(*this, streams("a"));
  a.wire->send("5 one");
  ASSERT_TRUE(becomes([&] { return a.heard.size() == 1; }));
  ask({"FLUSHALL"});
  EXPECT_TRUE(becomes([&] { return a.wire->send("5 two"), a.heard.size() > 1; }));
}

TEST_F(RedisTest, KeepsAStreamThatNobodyReadsBounded) {
  const auto sender = streams("sender", 10s, 100);
  sender->deafen(true);
  sender->start({});
  for (int i = 0; i < 3'000; ++i) sender->send("5 x");
  sender->send("10 last");
  ASSERT_TRUE(becomes([&] { return length("b:high") == 1; }));
  EXPECT_LE(length("b:normal"), 300);
}

}  // namespace
}  // namespace trawl::redis
