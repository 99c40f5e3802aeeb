#include "jobs/job_store.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "async/run.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

class JobStoreTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = db::open_sqlite(directory.path() / "trawl.db", context.get_executor());
    ASSERT_TRUE(opened) << opened.error().message;
    database = std::move(*opened);
    log.emplace(*database, bus, clock);
    store.emplace(*database, *log, clock, Budgets{.failures = 1}, context.get_executor());
  }

  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }

  Job add(int priority = 5) {
    return run(store->add({.kind = "download", .tenant = "", .priority = priority, .request = {{"url", "x"}}},
                          100))
        .value();
  }
  std::optional<Job> claim_one() {
    auto jobs = run(store->claim("worker", 1, 30s)).value();
    return jobs.empty() ? std::nullopt : std::optional(jobs.front());
  }
  Result<void> complete(const Lease& lease) {
    return run(store->complete(
        lease, [](db::Transaction&) -> Result<json::object> { return json::object{{"ok", true}}; }));
  }
  std::vector<std::string> statuses(const JobId& id) {
    std::vector<std::string> out;
    for (const events::Event& event : run(log->since(id, 0)).value()) {
      if (event.type == events::Type::status) out.emplace_back(event.data.at("state").as_string());
    }
    return out;
  }
  static Lease lease_of(const Job& job) { return {job.id, job.epoch}; }

  TempDir directory;
  asio::io_context context;
  FakeClock clock;
  events::Bus bus{context.get_executor()};
  std::unique_ptr<db::Database> database;
  std::optional<events::EventLog> log;
  std::optional<JobStore> store;
};

TEST_F(JobStoreTest, HandsOutTheMostUrgentJobFirstAndTheOldestAmongEquals) {
  const Job first = add(5), second = add(5), urgent = add(9);
  EXPECT_EQ(claim_one()->id, urgent.id);
  EXPECT_EQ(claim_one()->id, first.id);
  EXPECT_EQ(claim_one()->id, second.id);
  EXPECT_FALSE(claim_one());
}

TEST_F(JobStoreTest, RefusesAResultFromAWorkerWhoseLeaseWasPassedOn) {
  add();
  const Job stalled = *claim_one();
  clock.advance(31s);
  EXPECT_EQ(run(store->reap(false)), 1u);
  const Job current = *claim_one();
  EXPECT_GT(current.epoch, stalled.epoch);

  EXPECT_EQ(complete(lease_of(stalled)).error().code, Errc::conflict);
  EXPECT_EQ(run(store->advance(lease_of(stalled), "storing", {})).error().code, Errc::conflict);
  EXPECT_EQ(run(store->save_progress(lease_of(stalled), {})).error().code, Errc::conflict);
  EXPECT_EQ(run(store->fail(lease_of(stalled), {Errc::invalid, "x", "x"})).error().code, Errc::conflict);
  EXPECT_EQ(run(store->release(lease_of(stalled))).error().code, Errc::conflict);
  EXPECT_TRUE(complete(lease_of(current)));
}

TEST_F(JobStoreTest, CompletesOnceWithOneFinalEvent) {
  const JobId id = add().id;
  const Lease lease = lease_of(*claim_one());
  EXPECT_TRUE(complete(lease));
  EXPECT_EQ(complete(lease).error().code, Errc::conflict);
  EXPECT_EQ(statuses(id), (std::vector<std::string>{"queued", "running", "completed"}));
  EXPECT_EQ(run(store->find(id))->result.at("ok"), true);
}

TEST_F(JobStoreTest, CompletesNothingWhenTheAccompanyingWriteFails) {
  const JobId id = add().id;
  const Lease lease = lease_of(*claim_one());
  const auto failed = run(store->complete(
      lease, [](db::Transaction&) -> Result<json::object> { return fail(Errc::no_space, "full"); }));
  EXPECT_EQ(failed.error().code, Errc::no_space);
  EXPECT_EQ(run(store->find(id))->state, State::running);
}

TEST_F(JobStoreTest, RetriesAfterTheDelayAndBuriesTheJobWhenTheBudgetIsUsedUp) {
  const JobId id = add().id;
  const Error network{Errc::unavailable, "reset", "network_error"};
  EXPECT_EQ(run(store->fail(lease_of(*claim_one()), network)), State::retry_wait);
  EXPECT_FALSE(claim_one()) << "the delay has not passed";
  clock.advance(10s);
  EXPECT_EQ(run(store->fail(lease_of(*claim_one()), network)), State::dead);
  EXPECT_EQ(run(store->find(id))->error_code, "network_error");
}

TEST_F(JobStoreTest, CancelsAWaitingJobAtOnceAndAsksARunningOneToStop) {
  const JobId waiting = add(1).id, running = add(9).id;
  const Job held = *claim_one();
  EXPECT_EQ(run(store->cancel(waiting)), State::cancelled);
  EXPECT_EQ(run(store->cancel(running)), State::cancelling);
  EXPECT_EQ(complete(lease_of(held)).error().code, Errc::conflict) << "the cancellation came first";
  EXPECT_TRUE(run(store->settle_cancelled(lease_of(held))));
  EXPECT_EQ(run(store->cancel(running)).error().reason, "already_final");
}

TEST_F(JobStoreTest, ReleaseCostsNoBudgetButAVanishedWorkerDoes) {
  const JobId id = add().id;
  EXPECT_TRUE(run(store->release(lease_of(*claim_one()))));
  EXPECT_EQ(run(store->find(id))->crashes, 0);
  ASSERT_TRUE(claim_one());
  EXPECT_EQ(run(store->reap(true)), 1u);
  const Job job = run(store->find(id)).value();
  EXPECT_EQ(job.crashes, 1);
  EXPECT_EQ(job.failures, 0);
  EXPECT_EQ(job.state, State::queued);
}

TEST_F(JobStoreTest, RenewalKeepsWhatIsHeldAndTellsWhatIsLostOrCancelled) {
  add(9);
  const Job kept = *claim_one();
  add(8);
  const Job stopping = *claim_one();
  ASSERT_TRUE(run(store->cancel(stopping.id)));
  const Lease lost{kept.id, kept.epoch - 1};
  const auto renewed = run(store->renew({lease_of(kept), lease_of(stopping), lost}, 30s)).value();
  EXPECT_EQ(renewed.held, (std::set<Lease>{lease_of(kept), lease_of(stopping)}));
  EXPECT_EQ(renewed.cancelling, std::set<Lease>{lease_of(stopping)});
  clock.advance(29s);
  EXPECT_EQ(run(store->reap(false)), 0u);
}

TEST_F(JobStoreTest, RefusesMoreThanTheQueueHolds) {
  add();
  const auto refused = run(store->add({.kind = "download", .request = {}}, 1));
  EXPECT_EQ(refused.error().reason, "queue_full");
  EXPECT_EQ(run(store->list({}))->total, 1);
}

TEST_F(JobStoreTest, KeepsCheckpointsForTheNextAttempt) {
  add();
  const Lease lease = lease_of(*claim_one());
  ASSERT_TRUE(run(store->advance(lease, "downloading", json::object{{"plan", 1}})));
  ASSERT_TRUE(run(store->advance(lease, "post_processing", {})));
  ASSERT_TRUE(run(store->release(lease)));
  EXPECT_EQ(claim_one()->checkpoint, (json::object{{"plan", 1}}));
}

TEST_F(JobStoreTest, ListsNewestFirstByPages) {
  const JobId a = add().id, b = add().id, c = add().id;
  ASSERT_TRUE(run(store->cancel(b)));
  const auto page = run(store->list({.states = {State::queued}, .offset = 1, .limit = 1})).value();
  EXPECT_EQ(page.total, 2);
  ASSERT_EQ(page.jobs.size(), 1u);
  EXPECT_EQ(page.jobs[0].id, a);
  EXPECT_EQ(run(store->list({}))->jobs[0].id, c);
}

}  // namespace
}  // namespace trawl::jobs
