#include "events/event_log.h"

#include <gmock/gmock.h>

#include "async/run.h"
#include "testing/any_database.h"
#include "testing/fake_clock.h"

namespace trawl::events {
namespace {

using namespace std::chrono_literals;
using ::testing::ElementsAre;

struct EventLogTest : ::testing::TestWithParam<DatabaseKind> {
  template <class F>
  auto write(F work) {
    return run_to_end(context, database->write(std::move(work)));
  }

  void SetUp() override {
    database = under.open(context.get_executor());
    log.emplace(*database, bus, clock, 10);
    for (const JobId& id : {job, other}) {
      ASSERT_TRUE(write([id](db::Transaction& t) {
        return t.execute(
            "INSERT INTO jobs (id, kind, priority, state, phase, request, created_at, updated_at)"
            " VALUES ($1, 'download', 5, 'queued', 'waiting', '{}', 0, 0)",
            {id.str()});
      }));
    }
  }

  Result<void> append(const JobId& to, Type type, json::object data) {
    return write([&, data](db::Transaction& t) { return log->append(t, to, type, data); });
  }
  Result<void> say(std::string_view level, std::string_view message) {
    return append(job, Type::log, {{"level", level}, {"message", message}});
  }
  std::vector<std::string> messages(std::string level, std::int64_t tail, std::int64_t offset) {
    std::vector<std::string> out;
    const auto page = run_to_end(context, log->logs(job, std::move(level), tail, offset));
    for (const Event& line : page.value().lines) out.emplace_back(line.data.at("message").as_string());
    return out;
  }

  TestDatabase under{GetParam()};
  asio::io_context context;
  FakeClock clock;
  Bus bus{context.get_executor()};
  std::unique_ptr<db::Database> database;
  std::optional<EventLog> log;
  JobId job = JobId::make(clock.now());
  JobId other = JobId::make(clock.now());
};

TEST_P(EventLogTest, PublishesWhatWasCommittedWithItsNumber) {
  const auto watcher = bus.subscribe(job);
  ASSERT_TRUE(append(job, Type::status, {{"status", "running"}}));
  const auto heard = run_to_end(context, watcher->next(0ms));
  ASSERT_TRUE(heard);
  EXPECT_EQ(heard->seq, 1);
  EXPECT_EQ(heard->at, clock.now());
  EXPECT_EQ(heard->data.at("status"), "running");
}

TEST_P(EventLogTest, SaysNothingOfATransactionThatFailed) {
  const auto watcher = bus.subscribe(std::nullopt);
  const auto failed = write([&](db::Transaction& t) -> Result<void> {
    if (auto done = log->append(t, job, Type::status, {}); !done) return done;
    return fail(Errc::conflict, "the fence refused it");
  });
  EXPECT_EQ(failed.error().code, Errc::conflict);
  EXPECT_EQ(run_to_end(context, watcher->next(0ms)), std::nullopt);
  EXPECT_TRUE(run_to_end(context, log->since(job, 0)).value().empty());
}

TEST_P(EventLogTest, ReplaysTheEventsOfAJobAfterANumber) {
  ASSERT_TRUE(append(job, Type::status, {{"status", "running"}}));
  ASSERT_TRUE(append(other, Type::status, {{"status", "running"}}));
  clock.advance(5s);
  ASSERT_TRUE(say("INFO", "half way"));
  ASSERT_TRUE(append(job, Type::status, {{"status", "completed"}, {"final", true}}));

  const auto events = run_to_end(context, log->since(job, 1)).value();
  ASSERT_EQ(events.size(), 2u);
  EXPECT_EQ(events[0].seq, 3);
  EXPECT_EQ(events[0].type, Type::log);
  EXPECT_EQ(events[0].at, clock.now());
  EXPECT_EQ(events[0].job, job);
  EXPECT_EQ(events[1].seq, 4);
  EXPECT_EQ(events[1].data.at("final"), true);
  EXPECT_EQ(run_to_end(context, log->since(job, 0, 1)).value().size(), 1u);
  EXPECT_TRUE(run_to_end(context, log->since(job, 4)).value().empty());
}

TEST_P(EventLogTest, RefusesProgressAndJobsItDoesNotKnow) {
  EXPECT_EQ(append(job, Type::progress, {}).error().code, Errc::internal);
  EXPECT_EQ(append(JobId::make(clock.now()), Type::status, {}).error().code, Errc::conflict);
}

TEST_P(EventLogTest, ShowsTheNewestLinesAtOrAboveALevel) {
  ASSERT_TRUE(say("DEBUG", "a"));
  ASSERT_TRUE(say("INFO", "b"));
  ASSERT_TRUE(say("WARNING", "c"));
  ASSERT_TRUE(append(job, Type::status, {{"message", "no line"}}));
  ASSERT_TRUE(say("ERROR", "d"));
  EXPECT_THAT(messages("", 10, 0), ElementsAre("a", "b", "c", "d"));
  EXPECT_THAT(messages("INFO", 10, 0), ElementsAre("b", "c", "d"));
  EXPECT_THAT(messages("warn", 10, 0), ElementsAre("c", "d"));
  EXPECT_THAT(messages("INFO", 2, 0), ElementsAre("c", "d"));
  EXPECT_THAT(messages("INFO", 2, 1), ElementsAre("b", "c"));
  EXPECT_THAT(messages("INFO", 2, 3), ElementsAre());
  EXPECT_THAT(messages("INFO", -1, -1), ElementsAre());
  EXPECT_EQ(run_to_end(context, log->logs(job, "INFO", 1, 0))->total, 3);
  EXPECT_EQ(run_to_end(context, log->logs(job, "LOUD", 1, 0)).error().code, Errc::invalid);
}

TEST_P(EventLogTest, RemovesTheOldestLinesOfAJobThatWritesTooMany) {
  ASSERT_TRUE(append(job, Type::status, {{"status", "running"}}));
  ASSERT_TRUE(write([&](db::Transaction& t) -> Result<void> {
    for (int i = 0; i < 500; ++i) {
      const auto done =
          log->append(t, job, Type::log, {{"level", "INFO"}, {"message", fmt::format("line {}", i)}});
      if (!done) return done;
    }
    return {};
  }));
  const auto page = run_to_end(context, log->logs(job, "", 1, 0)).value();
  EXPECT_GE(page.total, 10);
  EXPECT_LE(page.total, 10 + 101);
  EXPECT_EQ(page.lines.front().data.at("message"), "line 499");
  EXPECT_EQ(run_to_end(context, log->since(job, 0)).value().front().type, Type::status);
}

INSTANTIATE_TEST_SUITE_P(On, EventLogTest, kBothDatabases, name_of_database);

}  // namespace
}  // namespace trawl::events
