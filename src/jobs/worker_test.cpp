#include "jobs/worker.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "base/clock.h"
#include "testing/temp_dir.h"

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

const JobStore::Also kNothing = [](db::Transaction&) -> Result<json::object> { return json::object{}; };

class WorkerTest : public testing::Test {
 protected:
  void SetUp() override {
    auto opened = db::open_sqlite(directory.path() / "trawl.db", context.get_executor());
    ASSERT_TRUE(opened) << opened.error().message;
    database = std::move(*opened);
    log.emplace(*database, bus, clock);
    store.emplace(*database, *log, JobStore::Options{}, context.get_executor());
  }

  Worker make(Handler handler, std::size_t slots = 4) {
    return Worker(context.get_executor(), *store, bus, clock,
                  {.name = "test", .slots = slots, .lease = Millis{600}}, std::move(handler));
  }
  Task<JobId> add() {
    co_return (co_await store->add({.kind = "download", .tenant = "", .request = {}}))->id;
  }
  // Waits on the bus until the job's state is `wanted`.
  Task<bool> becomes(JobId id, State wanted) {
    auto events = bus.subscribe(id);
    for (int i = 0; i < 100; ++i) {
      if ((co_await store->find(id))->state == wanted) co_return true;
      if (!co_await events->next(10s)) co_return false;
    }
    co_return false;
  }

  TempDir directory;
  asio::io_context context;
  SystemClock clock;
  events::Bus bus{context.get_executor()};
  std::unique_ptr<db::Database> database;
  std::optional<events::EventLog> log;
  std::optional<JobStore> store;
};

// Waits until the run is stopped, as a handler with a child would.
Task<Outcome> until_stopped(Run& run) {
  Event stopped(co_await asio::this_coro::executor);
  const auto hook = run.on_stop([&] { stopped.notify_all(); });
  while (run.stopped() == Stop::none) co_await stopped.wait();
  co_return fail(Errc::cancelled, "stopped");
}

TEST_F(WorkerTest, RunsEveryJobOnceAndNeverMoreThanItsSlots) {
  int running = 0, most = 0, ran = 0;
  Worker worker = make(
      [&](jobs::Run&) -> Task<Outcome> {
        most = std::max(most, ++running);
        co_await sleep_for(1ms);
        --running;
        ++ran;
        co_return kNothing;
      },
      3);
  run_to_end(context, [&]() -> Task<void> {
    std::vector<JobId> ids;
    for (int i = 0; i < 20; ++i) ids.push_back(co_await add());
    worker.start();
    for (const JobId& id : ids) EXPECT_TRUE(co_await becomes(id, State::completed));
    co_await worker.drain(1s);
  }());
  EXPECT_EQ(ran, 20);
  EXPECT_EQ(most, 3);
}

TEST_F(WorkerTest, StopsARunningJobThatIsCancelled) {
  Worker worker = make([](jobs::Run& run) { return until_stopped(run); });
  run_to_end(context, [&]() -> Task<void> {
    const JobId id = co_await add();
    worker.start();
    EXPECT_TRUE(co_await becomes(id, State::running));
    EXPECT_EQ(co_await store->cancel(id), State::cancelling);
    EXPECT_TRUE(co_await becomes(id, State::cancelled));
    co_await worker.drain(1s);
  }());
}

TEST_F(WorkerTest, GivesBackUnharmedWhatADrainInterrupts) {
  Worker worker = make([](jobs::Run& run) { return until_stopped(run); });
  run_to_end(context, [&]() -> Task<void> {
    const JobId id = co_await add();
    worker.start();
    EXPECT_TRUE(co_await becomes(id, State::running));
    co_await worker.drain(0s);
    const Job job = (co_await store->find(id)).value();
    EXPECT_EQ(job.state, State::queued);
    EXPECT_EQ(job.failures + job.crashes, 0);
    EXPECT_EQ(worker.running(), 0u);
  }());
}

TEST_F(WorkerTest, SettlesNothingOnceItsLeaseWasPassedOn) {
  Worker worker = make([](jobs::Run& run) -> Task<Outcome> {
    (void)co_await until_stopped(run);
    co_return kNothing;
  });
  run_to_end(context, [&]() -> Task<void> {
    const JobId id = co_await add();
    worker.start();
    EXPECT_TRUE(co_await becomes(id, State::running));
    // Somebody else takes the job over: the next renewal finds the fence moved.
    const auto moved = co_await database->write([id](db::Transaction& transaction) {
      return transaction.execute("UPDATE jobs SET epoch = epoch + 1, owner = 'other' WHERE id = $1",
                                 {id.str()});
    });
    EXPECT_EQ(moved, 1);
    Event tick(context.get_executor());
    while (worker.running() > 0) co_await tick.wait_for(5ms);
    EXPECT_EQ((co_await store->find(id))->state, State::running);
    co_await worker.drain(0s);
  }());
}

TEST_F(WorkerTest, KeepsALeaseAliveLongerThanItsLength) {
  Worker worker = make([](jobs::Run&) -> Task<Outcome> {
    co_await sleep_for(1500ms);  // Two and a half leases.
    co_return kNothing;
  });
  run_to_end(context, [&]() -> Task<void> {
    const JobId id = co_await add();
    worker.start();
    EXPECT_TRUE(co_await becomes(id, State::completed));
    EXPECT_EQ((co_await store->find(id))->epoch, 1);
    co_await worker.drain(0s);
  }());
}

}  // namespace
}  // namespace trawl::jobs
