#include "events/bus.h"

#include <gmock/gmock.h>

#include "async/run.h"
#include "async/scope.h"

namespace trawl::events {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

const JobId kJob = JobId::make(SystemTime(1s));
const JobId kOther = JobId::make(SystemTime(2s));

Event status(std::int64_t seq, const JobId& job = kJob, bool final = false) {
  return {.seq = seq, .job = job, .type = Type::status, .at = SystemTime(), .data = {{"final", final}}};
}

Event progress(std::int64_t percent, const JobId& job = kJob, SystemTime at = {}) {
  return {.seq = 0, .job = job, .type = Type::progress, .at = at, .data = {{"percent", percent}}};
}

struct BusTest : ::testing::Test {
  std::optional<Event> next(Subscription& subscription) {
    return run_to_end(context, subscription.next(0ms));
  }
  // What waits, in words: "status 3", "progress 50".
  std::vector<std::string> drain(Subscription& subscription) {
    std::vector<std::string> out;
    while (const auto event = next(subscription)) {
      out.push_back(event->type == Type::progress
                        ? fmt::format("progress {}", event->data.at("percent").as_int64())
                        : fmt::format("{} {}", to_text(event->type), event->seq));
    }
    return out;
  }

  asio::io_context context;
  Bus bus{context.get_executor()};
};

TEST_F(BusTest, TellsWatchersOfOneJobAndOfAllJobs) {
  const auto one = bus.subscribe(kJob);
  const auto all = bus.subscribe(std::nullopt);
  bus.publish(status(1));
  bus.publish(status(2, kOther));
  EXPECT_THAT(drain(*one), ElementsAre("status 1"));
  EXPECT_THAT(drain(*all), ElementsAre("status 1", "status 2"));
}

TEST_F(BusTest, KeepsOnlyTheNewestProgressOfAJobInThePlaceOfTheFirst) {
  const auto all = bus.subscribe(std::nullopt);
  bus.publish(progress(1));
  bus.publish(status(1));
  bus.publish(progress(7, kOther));
  bus.publish(progress(2));
  bus.publish(progress(3));
  EXPECT_THAT(drain(*all), ElementsAre("progress 3", "status 1", "progress 7"));
  bus.publish(progress(4));
  EXPECT_THAT(drain(*all), ElementsAre("progress 4"));
}

TEST_F(BusTest, CutsOffAWatcherThatFallsTooFarBehind) {
  const auto slow = bus.subscribe(kJob);
  const auto quick = bus.subscribe(kJob);
  for (std::size_t i = 1; i <= Subscription::kCapacity; ++i)
    bus.publish(status(static_cast<std::int64_t>(i)));
  EXPECT_FALSE(slow->lagged());
  bus.publish(progress(50));
  EXPECT_FALSE(slow->lagged());
  EXPECT_EQ(drain(*quick).size(), Subscription::kCapacity + 1);

  bus.publish(status(1000));
  EXPECT_TRUE(slow->lagged());
  EXPECT_EQ(run_to_end(context, slow->next(1h)), std::nullopt);
  EXPECT_FALSE(quick->lagged());
  EXPECT_THAT(drain(*quick), ElementsAre("status 1000"));
}

TEST_F(BusTest, WakesAWatcherThatWaits) {
  const auto watcher = bus.subscribe(kJob);
  std::optional<Event> heard;
  Scope scope(context.get_executor());
  scope.spawn("watcher", [](Subscription& subscription, std::optional<Event>& out) -> Task<void> {
    out = co_await subscription.next(1h);
  }(*watcher, heard));
  run_to_end(context, [](Bus& to, Scope& all) -> Task<void> {
    co_await asio::post(co_await asio::this_coro::executor, asio::use_awaitable);
    to.publish(status(5));
    co_await all.join();
  }(bus, scope));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->seq, 5);
}

TEST_F(BusTest, ForgetsAWatcherThatIsGone) {
  std::weak_ptr<Subscription> gone = bus.subscribe(kJob);
  EXPECT_TRUE(gone.expired());
  bus.publish(status(1));
}

TEST_F(BusTest, RemembersTheProgressOfAJobUntilItsFinalStatus) {
  EXPECT_EQ(bus.progress_of(kJob), std::nullopt);
  bus.publish(progress(10));
  bus.publish(progress(20));
  bus.publish(progress(99, kOther));
  bus.publish(status(1));
  EXPECT_EQ(bus.progress_of(kJob)->at("percent").as_int64(), 20);
  bus.publish(status(2, kJob, true));
  EXPECT_EQ(bus.progress_of(kJob), std::nullopt);
  EXPECT_TRUE(bus.progress_of(kOther));
}

TEST_F(BusTest, DropsTheOldestProgressWhenThereIsTooMuch) {
  bus.publish(progress(1, kJob, SystemTime(1ms)));
  for (std::size_t i = 0; i < Bus::kProgressCapacity; ++i) {
    bus.publish(progress(2, JobId::make(SystemTime(1s)), SystemTime(2ms)));
  }
  EXPECT_EQ(bus.progress_of(kJob), std::nullopt);
}

}  // namespace
}  // namespace trawl::events
