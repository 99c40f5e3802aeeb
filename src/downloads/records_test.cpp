#include "downloads/records.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "async/run.h"
#include "testing/any_database.h"
#include "testing/fake_clock.h"

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;

class RecordsTest : public testing::TestWithParam<DatabaseKind> {
 protected:
  void SetUp() override { database = under.open(context.get_executor(), &clock); }

  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }
  void execute(std::string sql) {
    const auto done = run(database->write(
        [sql = std::move(sql)](db::Transaction& transaction) { return transaction.execute(sql); }));
    ASSERT_TRUE(done) << done.error().message;
  }
  // `ended`: in hours from now; empty: it has not.
  void job(const std::string& id, const char* state, std::optional<int> ended,
           const std::string& batch = "") {
    execute(fmt::format(
        "INSERT INTO jobs (id, kind, priority, state, phase, request, created_at, updated_at,"
        " completed_at, batch_id) VALUES ('{}', 'download', 5, '{}', 'finished', '{{}}', 0, 0, {}, {})",
        id, state, ended ? std::to_string(at(*ended)) : "NULL", batch.empty() ? "NULL" : "'" + batch + "'"));
  }
  void batch(const std::string& id, bool settled) {
    execute(fmt::format(
        "INSERT INTO batches (id, request, expansion, intent, slots, settled, created_at, updated_at)"
        " VALUES ('{}', '{{}}', 'done', 'run', 1, {}, 0, {})",
        id, settled ? 1 : 0, at(-100)));
  }
  void file_of(const std::string& job) {
    execute(fmt::format(
        "INSERT INTO artifacts (id, job_id, kind, path, location, mime_type, size, sha256, created_at)"
        " VALUES ('a-{0}', '{0}', 'video', '{0}.mp4', '{0}', 'video/mp4', 1, '', 0)",
        job));
  }
  std::string left(const char* table) {
    const auto rows = run(database->read([table](db::Transaction& transaction) {
      return transaction.query(fmt::format("SELECT id FROM {} ORDER BY id", table));
    }));
    std::string out;
    for (const db::Row& row : *rows) out += row.text(0) + " ";
    return out;
  }
  std::int64_t at(int hours) { return (clock.now() + std::chrono::hours(hours)).time_since_epoch().count(); }
  std::int64_t forget() { return run(forget_records(*database, clock.now() - 24h)).value(); }

  TestDatabase under{GetParam()};
  asio::io_context context;
  FakeClock clock;
  std::unique_ptr<db::Database> database;
};

TEST_P(RecordsTest, ForgetsWhatEndedLongAgoAndHasNoFileLeft) {
  job("a-old", "completed", -25), job("b-dead", "dead", -25), job("c-cancelled", "cancelled", -1000);
  job("d-new", "completed", -23), job("e-runs", "running", {}), job("f-kept", "completed", -1000);
  file_of("f-kept");
  execute("INSERT INTO events (job_id, type, at, data) VALUES ('a-old', 'log', 0, '{}')");
  EXPECT_EQ(forget(), 3);
  EXPECT_EQ(left("jobs"), "d-new e-runs f-kept ");
  EXPECT_EQ(run(database->read([](db::Transaction& transaction) {
              return transaction.query("SELECT 1 FROM events");
            }))->size(),
            0U);
  EXPECT_EQ(forget(), 0);
}

TEST_P(RecordsTest, ForgetsABatchWithAllOfItsDownloadsOrNoneOfThem) {
  batch("b1", true), job("b1-a", "completed", -30), job("b1-b", "failed", -30);
  batch("b2", true), job("b2-a", "completed", -30), job("b2-b", "completed", -1);
  batch("b3", true), job("b3-a", "completed", -30);
  batch("b4", false), job("b4-a", "completed", -30);
  execute("UPDATE jobs SET batch_id = substr(id, 1, 2)");
  file_of("b3-a");
  EXPECT_EQ(forget(), 2);
  EXPECT_EQ(left("batches"), "b2 b3 b4 ");
  EXPECT_EQ(left("jobs"), "b2-a b2-b b3-a b4-a ");
}

INSTANTIATE_TEST_SUITE_P(On, RecordsTest, kBothDatabases, name_of_database);

}  // namespace
}  // namespace trawl::downloads
