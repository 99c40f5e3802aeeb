#include <gtest/gtest.h>

#include "async/run.h"
#include "jobs/job_store.h"
#include "testing/any_database.h"
#include "testing/fake_clock.h"
#include "webhooks/outbox.h"

namespace trawl::webhooks {
namespace {

using namespace std::chrono_literals;

constexpr Millis kLease = 60s;

class DeliveryTest : public testing::TestWithParam<DatabaseKind> {
 protected:
  DeliveryTest() {
    log.observe([this](db::Transaction& t, const events::Event& event) { return outbox.record(t, event); });
  }
  void run(std::function<Task<void>()> body) { run_to_end(context, body()); }

  Task<jobs::Job> add_job(std::optional<std::string> webhook = "https://hooks.example.com/in") {
    json::object request{{"url", "https://example.com/watch?v=1"}, {"webhook_url", nullptr}};
    if (webhook) request["webhook_url"] = *webhook;
    co_return *co_await jobs.add({.kind = "download", .tenant = "t1", .request = request});
  }
  Task<jobs::Lease> claim_job() {
    const auto job = (co_await jobs.claim("worker", 1, kLease))->at(0);
    co_return jobs::Lease{job.id, job.epoch};
  }
  // Takes a job from its submission to `completed`.
  Task<JobId> completed_job() {
    co_await add_job();
    const jobs::Lease lease = co_await claim_job();
    const jobs::JobStore::Also also = [](db::Transaction&) -> Result<json::object> { return json::object{}; };
    EXPECT_TRUE(co_await jobs.complete(lease, also));
    co_return lease.job;
  }
  Task<std::vector<std::string>> events_of(JobId job) {
    std::vector<std::string> names;
    const auto page = co_await deliveries.list({.job = job, .limit = 100});
    for (const Delivery& delivery : page->deliveries) names.insert(names.begin(), delivery.event);
    co_return names;
  }

  asio::io_context context;
  FakeClock clock;
  events::Bus bus{context.get_executor()};
  TestDatabase under{GetParam()};
  std::unique_ptr<db::Database> database = under.open(context.get_executor(), &clock);
  DeliveryStore deliveries{*database, context.get_executor()};
  Outbox outbox{deliveries, "https://media.example.com"};
  events::EventLog log{*database, bus, clock};
  jobs::JobStore jobs{*database, log, {}, context.get_executor()};
};

INSTANTIATE_TEST_SUITE_P(On, DeliveryTest, kBothDatabases, name_of_database);

TEST_P(DeliveryTest, AreMadeWithTheEventsTheyTellOf) {
  run([this]() -> Task<void> {
    const JobId job = co_await completed_job();
    EXPECT_EQ(co_await events_of(job), (std::vector<std::string>{"download.started", "download.completed"}));
  });
}

TEST_P(DeliveryTest, AreNotMadeForAJobThatNamesNoAddress) {
  run([this]() -> Task<void> {
    const auto job = co_await add_job(std::nullopt);
    co_await claim_job();
    EXPECT_TRUE((co_await events_of(job.id)).empty());
  });
}

TEST_P(DeliveryTest, TellOfTheStartOnceHoweverOftenTheJobIsTried) {
  run([this]() -> Task<void> {
    const auto job = co_await add_job();
    const jobs::Lease first = co_await claim_job();
    EXPECT_TRUE(co_await jobs.advance(first, "downloading", std::nullopt));
    EXPECT_TRUE(co_await jobs.release(first));
    co_await claim_job();
    EXPECT_EQ(co_await events_of(job.id), std::vector<std::string>{"download.started"});
  });
}

TEST_P(DeliveryTest, AreHandedOutToOneSenderAtATime) {
  run([this]() -> Task<void> {
    co_await completed_job();
    EXPECT_EQ((co_await deliveries.claim(10, kLease))->size(), 2U);
    EXPECT_TRUE((co_await deliveries.claim(10, kLease))->empty());
    clock.advance(kLease);
    EXPECT_EQ((co_await deliveries.claim(10, kLease))->size(), 2U);
  });
}

TEST_P(DeliveryTest, RefuseTheOutcomeOfASenderThatStalled) {
  run([this]() -> Task<void> {
    co_await completed_job();
    const Delivery stalled = (co_await deliveries.claim(1, kLease))->at(0);
    clock.advance(kLease);
    const auto again = co_await deliveries.claim(10, kLease);
    EXPECT_EQ(again->at(0).id, stalled.id);
    const auto settled = co_await deliveries.settle(stalled, {.status = 500}, {.fate = Fate::failed});
    EXPECT_EQ(settled.error().code, Errc::conflict);
    EXPECT_TRUE(co_await deliveries.settle(again->at(0), {.status = 200}, {.fate = Fate::delivered}));
    EXPECT_EQ((co_await deliveries.find(stalled.id))->state, DeliveryState::delivered);
  });
}

TEST_P(DeliveryTest, ComeBackAfterTheirDelay) {
  run([this]() -> Task<void> {
    co_await completed_job();
    for (const Delivery& delivery : *co_await deliveries.claim(10, kLease)) {
      EXPECT_TRUE(co_await deliveries.settle(delivery, {.status = 503, .error = "busy"},
                                             {.fate = Fate::retry, .delay = 5min}));
    }
    EXPECT_TRUE((co_await deliveries.claim(10, kLease))->empty());
    EXPECT_EQ(**co_await deliveries.next_due(), 5min);
    clock.advance(5min);
    const auto due = co_await deliveries.claim(10, kLease);
    EXPECT_EQ(due->size(), 2U);
    EXPECT_EQ(due->at(0).attempts, 1);
    EXPECT_EQ(due->at(0).history.at(0).status, 503);
  });
}

TEST_P(DeliveryTest, ToAnAddressThatIsGoneAreRecordedAndNotSentUntilReplayed) {
  run([this]() -> Task<void> {
    co_await completed_job();
    for (const Delivery& delivery : *co_await deliveries.claim(10, kLease))
      EXPECT_TRUE(co_await deliveries.settle(delivery, {.status = 410}, {.fate = Fate::disable}));
    const JobId later = co_await completed_job();
    EXPECT_TRUE((co_await deliveries.claim(10, kLease))->empty());
    const auto page = co_await deliveries.list({.job = later});
    EXPECT_EQ(page->deliveries.at(0).state, DeliveryState::disabled);

    EXPECT_TRUE(co_await deliveries.replay(page->deliveries.at(0).id));
    EXPECT_EQ((co_await deliveries.claim(10, kLease))->at(0).id, page->deliveries.at(0).id);
    co_await completed_job();
    EXPECT_EQ((co_await deliveries.claim(10, kLease))->size(), 2U);
  });
}

TEST_P(DeliveryTest, CannotBeReplayedWhileTheyAreUnderWay) {
  run([this]() -> Task<void> {
    const JobId job = co_await completed_job();
    const auto page = co_await deliveries.list({.job = job});
    const auto replayed = co_await deliveries.replay(page->deliveries.at(0).id);
    EXPECT_EQ(replayed.error().reason, "still_pending");
  });
}

TEST_P(DeliveryTest, OutliveTheirJobAndArePrunedOnceSettled) {
  run([this]() -> Task<void> {
    const JobId job = co_await completed_job();
    EXPECT_TRUE(co_await jobs.remove(job));
    auto due = co_await deliveries.claim(10, kLease);
    EXPECT_EQ(due->size(), 2U);
    EXPECT_TRUE(co_await deliveries.settle(due->at(0), {.status = 200}, {.fate = Fate::delivered}));
    clock.advance(48h);
    EXPECT_EQ(co_await deliveries.prune(24h), 1);
    EXPECT_EQ((co_await deliveries.list({}))->total, 1);
  });
}

TEST_P(DeliveryTest, AreListedByWhoseTheyAre) {
  run([this]() -> Task<void> {
    co_await completed_job();
    EXPECT_EQ((co_await deliveries.list({.tenant = "t1"}))->total, 2);
    EXPECT_EQ((co_await deliveries.list({.tenant = "t2"}))->total, 0);
    EXPECT_EQ((co_await deliveries.list({.state = DeliveryState::delivered}))->total, 0);
    EXPECT_EQ((co_await deliveries.counts())->at(DeliveryState::pending), 2);
  });
}

}  // namespace
}  // namespace trawl::webhooks
