#include "events/relay.h"

#include <gmock/gmock.h>

#include "async/run.h"

namespace trawl::events {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::SizeIs;

// Says to every wire on it what one of them sends, like a broadcast.
struct Air {
  std::vector<Wire::Ears> ears;
  std::vector<std::string> said;
  void say(const std::string& message) {
    said.push_back(message);
    for (const auto& one : ears) one.heard(message);
  }
};

class AirWire final : public Wire {
 public:
  explicit AirWire(Air& air) : air_(air) {}
  void start(Ears ears) override { air_.ears.push_back(std::move(ears)); }
  void send(std::string message) override { air_.say(message); }
  void deafen(bool) override {}
  void stop() override {}

 private:
  Air& air_;
};

struct RelayTest : ::testing::Test {
  struct Node {
    Node(asio::io_context& context, Air& air, std::string name)
        : bus(context.get_executor()), wire(air), relay(bus, wire, std::move(name)) {
      relay.start();
    }
    Bus bus;
    AirWire wire;
    Relay relay;
  };
  static Event status(const JobId& job, json::object data = {{"state", "queued"}, {"final", false}}) {
    return {.seq = 7, .job = job, .type = Type::status, .at = SystemTime(Millis(5)), .data = std::move(data)};
  }
  std::optional<Event> next(Subscription& subscription) {
    return run_to_end(context, subscription.next(std::chrono::milliseconds(0)));
  }

  asio::io_context context;
  Air air;
  Node a{context, air, "a"}, b{context, air, "b"};
  JobId job = JobId::make(SystemTime(Millis(1)));
};

TEST_F(RelayTest, TellsTheOtherNodeAndNobodyTwice) {
  const auto here = a.bus.subscribe(job), there = b.bus.subscribe(std::nullopt);
  a.bus.publish(status(job));
  const auto heard = next(*there);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->seq, 7);
  EXPECT_EQ(heard->job, job);
  EXPECT_EQ(heard->at, SystemTime(Millis(5)));
  EXPECT_EQ(heard->data.at("state"), "queued");
  EXPECT_TRUE(heard->elsewhere);
  EXPECT_FALSE(next(*there));
  EXPECT_FALSE(next(*here)->elsewhere);
  EXPECT_FALSE(next(*here));
  EXPECT_THAT(air.said, SizeIs(1));
}

TEST_F(RelayTest, KeepsTheProgressOfAJobThatRunsElsewhere) {
  a.bus.publish({.job = job, .type = Type::progress, .data = {{"percent", 5}}});
  EXPECT_EQ(b.bus.progress_of(job)->at("percent"), 5);
}

TEST_F(RelayTest, SaysOfALongStatusOnlyWhatItIs) {
  const auto there = b.bus.subscribe(job);
  a.bus.publish(status(job, {{"state", "failed"}, {"final", true}, {"message", std::string(9'000, 'x')}}));
  const auto heard = next(*there);
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->data.at("final"), true);
  EXPECT_FALSE(heard->data.contains("message"));
  EXPECT_LT(air.said.front().size(), 500u);
}

TEST_F(RelayTest, PassesOverWhatItDoesNotUnderstand) {
  const auto here = a.bus.subscribe(std::nullopt);
  for (const char* text :
       {"", "{", "[]", "{}", R"({"n":"c"})", R"({"n":"c","j":"x","t":"status","s":1,"a":1,"d":{}})",
        R"({"n":"c","j":1,"t":[],"s":"1","a":null,"d":0})"})
    air.say(text);
  EXPECT_FALSE(next(*here));
}

TEST_F(RelayTest, SendsWatchersToTheLogWhenSomethingMayHaveBeenMissed) {
  const auto here = a.bus.subscribe(job);
  air.ears.front().missed();
  EXPECT_FALSE(next(*here));
  EXPECT_TRUE(here->lagged());
}

TEST_F(RelayTest, IsQuietOnceStopped) {
  a.relay.stop();
  a.bus.publish(status(job));
  EXPECT_TRUE(air.said.empty());
}

}  // namespace
}  // namespace trawl::events
