#include "jobs/job_store.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "async/run.h"
#include "jobs/detail/breakers.h"
#include "testing/any_database.h"
#include "testing/fake_clock.h"

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

class JobStoreTest : public testing::TestWithParam<DatabaseKind> {
 protected:
  void SetUp() override {
    database = under.open(context.get_executor(), &clock);
    log.emplace(*database, bus, clock);
    store.emplace(*database, *log,
                  JobStore::Options{.budgets = {.failures = 1},
                                    .caps = {.per_tenant = 0, .per_origin = 2},
                                    .depths = {.total = 100, .per_tenant = 5}},
                  context.get_executor());
  }

  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }

  Job add(int priority = 5) {
    return add({.kind = "download", .tenant = "", .priority = priority, .request = {{"url", "x"}}});
  }
  Job add(NewJob job) { return run(store->add(std::move(job))).value(); }
  State state_of(const JobId& id) { return run(store->find(id))->state; }
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

  TestDatabase under{GetParam()};
  asio::io_context context;
  FakeClock clock;
  events::Bus bus{context.get_executor()};
  std::unique_ptr<db::Database> database;
  std::optional<events::EventLog> log;
  std::optional<JobStore> store;
};

TEST_P(JobStoreTest, HandsOutTheMostUrgentJobFirstAndTheOldestAmongEquals) {
  const Job first = add(5), second = add(5), urgent = add(9);
  EXPECT_EQ(claim_one()->id, urgent.id);
  EXPECT_EQ(claim_one()->id, first.id);
  EXPECT_EQ(claim_one()->id, second.id);
  EXPECT_FALSE(claim_one());
}

TEST_P(JobStoreTest, RefusesAResultFromAWorkerWhoseLeaseWasPassedOn) {
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

TEST_P(JobStoreTest, CompletesOnceWithOneFinalEvent) {
  const JobId id = add().id;
  const Lease lease = lease_of(*claim_one());
  EXPECT_TRUE(complete(lease));
  EXPECT_EQ(complete(lease).error().code, Errc::conflict);
  EXPECT_EQ(statuses(id), (std::vector<std::string>{"queued", "running", "completed"}));
  EXPECT_EQ(run(store->find(id))->result.at("ok"), true);
}

TEST_P(JobStoreTest, CompletesNothingWhenTheAccompanyingWriteFails) {
  const JobId id = add().id;
  const Lease lease = lease_of(*claim_one());
  const auto failed = run(store->complete(
      lease, [](db::Transaction&) -> Result<json::object> { return fail(Errc::no_space, "full"); }));
  EXPECT_EQ(failed.error().code, Errc::no_space);
  EXPECT_EQ(run(store->find(id))->state, State::running);
}

TEST_P(JobStoreTest, HastensWhatWaitsForOneReasonOnly) {
  const JobId full = add().id;
  EXPECT_EQ(run(store->fail(lease_of(*claim_one()), {Errc::no_space, "full", "disk_full"})),
            State::retry_wait);
  add();
  EXPECT_EQ(run(store->fail(lease_of(*claim_one()), {Errc::unavailable, "reset", "network_error"})),
            State::retry_wait);
  EXPECT_FALSE(claim_one());
  EXPECT_TRUE(run(store->hasten("disk_full")));
  const auto claimed = claim_one();
  ASSERT_TRUE(claimed);
  EXPECT_EQ(claimed->id, full);
  EXPECT_EQ(claimed->failures, 0);
  EXPECT_FALSE(claim_one());
}

TEST_P(JobStoreTest, RetriesAfterTheDelayAndBuriesTheJobWhenTheBudgetIsUsedUp) {
  const JobId id = add().id;
  const Error network{Errc::unavailable, "reset", "network_error"};
  EXPECT_EQ(run(store->fail(lease_of(*claim_one()), network)), State::retry_wait);
  EXPECT_FALSE(claim_one()) << "the delay has not passed";
  clock.advance(10s);
  EXPECT_EQ(run(store->fail(lease_of(*claim_one()), network)), State::dead);
  EXPECT_EQ(run(store->find(id))->error_code, "network_error");
}

TEST_P(JobStoreTest, CancelsAWaitingJobAtOnceAndAsksARunningOneToStop) {
  const JobId waiting = add(1).id, running = add(9).id;
  const Job held = *claim_one();
  EXPECT_EQ(run(store->cancel(waiting)), State::cancelled);
  EXPECT_EQ(run(store->cancel(running)), State::cancelling);
  EXPECT_EQ(complete(lease_of(held)).error().code, Errc::conflict) << "the cancellation came first";
  EXPECT_TRUE(run(store->settle_cancelled(lease_of(held))));
  EXPECT_EQ(run(store->cancel(running)).error().reason, "already_final");
}

TEST_P(JobStoreTest, ReleaseCostsNoBudgetButAVanishedWorkerDoes) {
  const JobId id = add().id;
  EXPECT_TRUE(run(store->release(lease_of(*claim_one()))));
  EXPECT_EQ(run(store->find(id))->crashes, 0);
  ASSERT_TRUE(claim_one());
  EXPECT_EQ(run(store->reap(true)), 1u);
  const Job job = run(store->find(id)).value();
  EXPECT_EQ(job.losses, 1);
  EXPECT_EQ(job.failures + job.crashes, 0);
  EXPECT_EQ(job.state, State::queued);
}

TEST_P(JobStoreTest, RenewalKeepsWhatIsHeldAndTellsWhatIsLostOrCancelled) {
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

TEST_P(JobStoreTest, RefusesMoreThanTheQueueHolds) {
  for (int i = 0; i < 5; ++i) add();
  const auto refused = run(store->add({.kind = "download", .tenant = "", .request = {}}));
  EXPECT_EQ(refused.error().reason, "too_many_queued");
  for (int i = 0; i < 95; ++i) add({.kind = "download", .tenant = fmt::format("t{}", i), .request = {}});
  EXPECT_EQ(run(store->add({.kind = "download", .tenant = "new", .request = {}})).error().reason,
            "queue_full");
  EXPECT_EQ(run(store->list({}))->total, 100);
}

TEST_P(JobStoreTest, AddsNothingWhenTheAccompanyingWriteFails) {
  const auto refused = run(
      store->add({.kind = "download", .tenant = "", .request = {}},
                 [](db::Transaction&, const Job&) -> Result<void> { return fail(Errc::conflict, "no"); }));
  EXPECT_EQ(refused.error().code, Errc::conflict);
  EXPECT_EQ(run(store->list({}))->total, 0);
}

TEST_P(JobStoreTest, KeepsCheckpointsForTheNextAttempt) {
  add();
  const Lease lease = lease_of(*claim_one());
  ASSERT_TRUE(run(store->advance(lease, "downloading", json::object{{"plan", 1}})));
  ASSERT_TRUE(run(store->advance(lease, "post_processing", {})));
  ASSERT_TRUE(run(store->release(lease)));
  EXPECT_EQ(claim_one()->checkpoint, (json::object{{"plan", 1}}));
}

TEST_P(JobStoreTest, ListsNameWhatAnAttemptHasFoundOut) {
  add();
  const Lease lease = lease_of(*claim_one());
  EXPECT_EQ(run(store->list({}))->jobs[0].title, "");
  ASSERT_TRUE(run(store->advance(lease, "downloading", json::object{}, "A film")));
  ASSERT_TRUE(run(store->advance(lease, "post_processing", {})));
  ASSERT_TRUE(run(store->release(lease)));
  EXPECT_EQ(run(store->list({}))->jobs[0].title, "A film");
}

TEST_P(JobStoreTest, ListsNewestFirstByPages) {
  const JobId a = add().id, b = add().id, c = add().id;
  ASSERT_TRUE(run(store->cancel(b)));
  const auto page = run(store->list({.states = {State::queued}, .offset = 1, .limit = 1})).value();
  EXPECT_EQ(page.total, 2);
  ASSERT_EQ(page.jobs.size(), 1u);
  EXPECT_EQ(page.jobs[0].id, a);
  EXPECT_EQ(run(store->list({}))->jobs[0].id, c);
}

TEST_P(JobStoreTest, KeepsAScheduledJobUntilItsTimeHasCome) {
  const JobId id =
      add({.kind = "download", .tenant = "", .request = {}, .scheduled_at = clock.now() + 1h}).id;
  EXPECT_EQ(state_of(id), State::scheduled);
  EXPECT_FALSE(claim_one());
  clock.advance(1h);
  EXPECT_EQ(claim_one()->id, id);
  EXPECT_EQ(statuses(id), (std::vector<std::string>{"scheduled", "queued", "running"}));
}

TEST_P(JobStoreTest, ExpiresWhatWaitsPastItsDeadlineAndWhatRunsThen) {
  const auto until = clock.now() + 1min;
  const JobId waiting =
      add({.kind = "download", .tenant = "", .priority = 1, .request = {}, .deadline = until}).id;
  const JobId paused =
      add({.kind = "download", .tenant = "", .priority = 1, .request = {}, .deadline = until}).id;
  add({.kind = "download", .tenant = "", .priority = 9, .request = {}, .deadline = until});
  const Job running = *claim_one();
  ASSERT_TRUE(run(store->pause(paused)));
  clock.advance(1min);
  EXPECT_EQ(run(store->tend()), 2u);
  EXPECT_EQ(state_of(waiting), State::expired);
  EXPECT_EQ(state_of(paused), State::expired);
  EXPECT_TRUE(run(store->settle_expired(lease_of(running))));
  EXPECT_EQ(run(store->find(running.id))->error_code, "deadline_passed");
}

TEST_P(JobStoreTest, PausesAWaitingJobAtOnceAndResumesItWhereItWas) {
  const JobId queued = add().id;
  const JobId later =
      add({.kind = "download", .tenant = "", .request = {}, .scheduled_at = clock.now() + 1h}).id;
  for (const JobId& id : {queued, later}) EXPECT_EQ(run(store->pause(id)), State::paused);
  EXPECT_FALSE(claim_one());
  EXPECT_EQ(run(store->resume(queued)), State::queued);
  EXPECT_EQ(run(store->resume(later)), State::scheduled);
  EXPECT_EQ(run(store->resume(later)).error().reason, "not_paused");
}

TEST_P(JobStoreTest, PausesARunningJobOnceItsHolderHasStopped) {
  const JobId id = add().id;
  const Job held = *claim_one();
  EXPECT_EQ(run(store->pause(id)), State::running);
  EXPECT_EQ(run(store->renew({lease_of(held)}, 30s))->pausing, std::set<Lease>{lease_of(held)});
  EXPECT_TRUE(run(store->release(lease_of(held))));
  EXPECT_EQ(state_of(id), State::paused);
  EXPECT_EQ(run(store->resume(id)), State::queued);
  EXPECT_EQ(claim_one()->epoch, held.epoch + 1);
}

TEST_P(JobStoreTest, ForgetsAPauseThatIsTakenBackInTime) {
  const JobId id = add().id;
  const Job held = *claim_one();
  ASSERT_TRUE(run(store->pause(id)));
  EXPECT_EQ(run(store->resume(id)), State::running);
  EXPECT_TRUE(run(store->release(lease_of(held))));
  EXPECT_EQ(state_of(id), State::queued);
}

TEST_P(JobStoreTest, PausesWhatItWasToRetryAndWhatItsWorkerLeftBehind) {
  const JobId id = add().id;
  const Job held = *claim_one();
  ASSERT_TRUE(run(store->pause(id)));
  EXPECT_EQ(run(store->fail(lease_of(held), {Errc::unavailable, "reset", "network_error"})), State::paused);
  ASSERT_TRUE(run(store->resume(id)));
  ASSERT_TRUE(claim_one());
  ASSERT_TRUE(run(store->pause(id)));
  EXPECT_EQ(run(store->reap(true)), 1u);
  EXPECT_EQ(state_of(id), State::paused);
}

TEST_P(JobStoreTest, RetriesADelayedJobNowAndADeadOneWithNewBudgets) {
  const JobId id = add().id;
  const Error network{Errc::unavailable, "reset", "network_error"};
  ASSERT_EQ(run(store->fail(lease_of(*claim_one()), network)), State::retry_wait);
  EXPECT_EQ(run(store->retry(id)), State::queued);
  ASSERT_EQ(run(store->fail(lease_of(*claim_one()), network)), State::dead);

  const auto letters = run(store->dead_letters(0, 10)).value();
  ASSERT_EQ(letters.letters.size(), 1u);
  EXPECT_EQ(letters.letters[0].history.size(), 2u);
  EXPECT_EQ(letters.letters[0].history[0].worker, "worker");
  EXPECT_EQ(run(store->retry(id)), State::queued);
  const Job again = *claim_one();
  EXPECT_EQ(again.failures, 0);
  EXPECT_EQ(again.replays, 1);
  EXPECT_EQ(again.epoch, 3);
  EXPECT_EQ(run(store->dead_letters(0, 10))->total, 0);
  ASSERT_TRUE(complete(lease_of(again)));
  EXPECT_EQ(run(store->retry(id)).error().reason, "not_retryable");
}

TEST_P(JobStoreTest, CountsTheRetriesThatTheJobAskedFor) {
  const JobId id = add({.kind = "download", .tenant = "", .request = {}, .max_retries = 0}).id;
  EXPECT_EQ(run(store->fail(lease_of(*claim_one()), {Errc::unavailable, "reset", "network_error"})),
            State::dead);
  EXPECT_EQ(state_of(id), State::dead);
}

TEST_P(JobStoreTest, NeverRunsMoreOfOneHostThanItMay) {
  for (int i = 0; i < 3; ++i) add({.kind = "download", .tenant = "", .origin = "busy", .request = {}});
  const JobId other = add({.kind = "download", .tenant = "", .origin = "free", .request = {}}).id;
  const auto claimed = run(store->claim("worker", 9, 30s)).value();
  ASSERT_EQ(claimed.size(), 3u);
  EXPECT_EQ(claimed.back().id, other);
  EXPECT_FALSE(claim_one());
  ASSERT_TRUE(complete(lease_of(claimed.front())));
  EXPECT_EQ(claim_one()->origin, "busy");
}

TEST_P(JobStoreTest, GivesTenantsTurns) {
  for (int i = 0; i < 4; ++i) add({.kind = "download", .tenant = "a", .request = {}});
  add({.kind = "download", .tenant = "b", .request = {}});
  EXPECT_EQ(claim_one()->tenant, "a");
  EXPECT_EQ(claim_one()->tenant, "b");
  EXPECT_EQ(claim_one()->tenant, "a");
}

TEST_P(JobStoreTest, LeavesAnOriginAloneThatFailedFiveTimesAndThenTriesItWithOneJob) {
  for (int i = 0; i < 5; ++i)
    add({.kind = "download",
         .tenant = fmt::format("t{}", i),
         .origin = "down",
         .request = {},
         .max_retries = 9});
  const Error down{Errc::unavailable, "refused", "network_error"};
  for (int i = 0; i < 5; ++i) ASSERT_EQ(run(store->fail(lease_of(*claim_one()), down)), State::retry_wait);
  const JobId other = add({.kind = "download", .tenant = "x", .origin = "up", .request = {}}).id;
  clock.advance(10s);
  EXPECT_EQ(claim_one()->id, other);
  EXPECT_FALSE(claim_one()) << "the breaker is open";
  clock.advance(21s);
  const auto probe = run(store->claim("worker", 9, 30s)).value();
  ASSERT_EQ(probe.size(), 1u) << "one probe";
  EXPECT_FALSE(claim_one());
  ASSERT_TRUE(complete(lease_of(probe.front())));
  EXPECT_EQ(run(store->claim("worker", 9, 30s))->size(), 2u) << "closed again, up to the cap";
}

TEST_P(JobStoreTest, LeavesAnOriginAloneHalfOfWhoseCallsFail) {
  for (int i = 0; i < 30; ++i)
    add({.kind = "download",
         .tenant = fmt::format("t{}", i / 5),
         .origin = "half",
         .request = {},
         .max_retries = 0});
  const Error down{Errc::unavailable, "refused", "network_error"};
  for (int i = 0; i < 10; ++i) {
    ASSERT_TRUE(run(store->fail(lease_of(*claim_one()), down)));
    ASSERT_TRUE(complete(lease_of(*claim_one())));
  }
  const auto late = claim_one(), last = claim_one();
  ASSERT_TRUE(late && last) << "twenty calls, but the last one was an answer";
  ASSERT_TRUE(run(store->fail(lease_of(*last), down)));
  EXPECT_FALSE(claim_one()) << "the breaker is open";
  ASSERT_TRUE(complete(lease_of(*late)));
  EXPECT_FALSE(claim_one()) << "what ran when it opened says nothing new";
  clock.advance(31s);
  const auto probe = run(store->claim("worker", 9, 30s)).value();
  ASSERT_EQ(probe.size(), 1u) << "one probe";
  ASSERT_TRUE(complete(lease_of(probe.front())));
  ASSERT_TRUE(run(store->fail(lease_of(*claim_one()), down)));
  EXPECT_TRUE(claim_one()) << "the count began anew";
}

TEST_P(JobStoreTest, ForgetsAnOriginThatAnswersOnceItsWindowIsOver) {
  for (int i = 0; i < 2; ++i)
    add({.kind = "download", .tenant = "a", .origin = "once", .request = {}, .max_retries = 0});
  ASSERT_TRUE(run(store->fail(lease_of(*claim_one()), {Errc::unavailable, "refused", "network_error"})));
  ASSERT_TRUE(complete(lease_of(*claim_one())));
  const auto rows = [this] { return run(database->read(detail::all_breakers))->size(); };
  ASSERT_TRUE(run(store->tend()));
  EXPECT_EQ(rows(), 1u);
  clock.advance(60s);
  ASSERT_TRUE(run(store->tend()));
  EXPECT_EQ(rows(), 0u);
}

INSTANTIATE_TEST_SUITE_P(On, JobStoreTest, kBothDatabases, name_of_database);

}  // namespace
}  // namespace trawl::jobs
