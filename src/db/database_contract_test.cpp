#include <gmock/gmock.h>

#include "async/run.h"
#include "async/scope.h"
#include "testing/any_database.h"
#include "testing/fake_clock.h"

namespace trawl::db {
namespace {

using ::testing::ElementsAre;

// What every database promises, whatever is behind it.
struct DatabaseContract : ::testing::TestWithParam<DatabaseKind> {
  void SetUp() override {
    database = under.open(context.get_executor());
    ASSERT_TRUE(write("CREATE TABLE t (id BIGINT PRIMARY KEY, name TEXT, x DOUBLE PRECISION, n INTEGER)"));
  }
  template <class F>
  auto run(F work) {
    return run_to_end(context, database->write(std::move(work)));
  }
  template <class F>
  auto read(F work) {
    return run_to_end(context, database->read(std::move(work)));
  }
  Result<std::int64_t> write(std::string sql, std::vector<Value> parameters = {}) {
    return run([=](Transaction& t) { return t.execute(sql, parameters); });
  }
  std::vector<std::int64_t> ids() {
    const auto rows = read([](Transaction& t) { return t.query("SELECT id FROM t ORDER BY id"); });
    std::vector<std::int64_t> out;
    for (const Row& row : rows.value()) out.push_back(row.integer(0));
    return out;
  }

  TestDatabase under{GetParam()};
  asio::io_context context;
  std::unique_ptr<Database> database;
};

TEST_P(DatabaseContract, GivesBackWhatWasBoundInItsType) {
  ASSERT_TRUE(write("INSERT INTO t (name, id, x, n) VALUES ($2, $1, $3, $4)",
                    {std::int64_t{1} << 40, std::string("naïve 'text' \\ \u2026"), 0.5, std::int64_t{-7}}));
  ASSERT_TRUE(write("INSERT INTO t (id, name) VALUES ($1, $2)", {std::int64_t{2}, std::monostate()}));
  const auto rows =
      read([](Transaction& t) { return t.query("SELECT id, name, x, n, id > 5 FROM t ORDER BY id"); });
  ASSERT_TRUE(rows) << rows.error().message;
  EXPECT_TRUE(rows->at(0).null(1));
  EXPECT_FALSE(rows->at(0).boolean(4));
  EXPECT_EQ(rows->at(1).integer(0), std::int64_t{1} << 40);
  EXPECT_EQ(rows->at(1).text(1), "naïve 'text' \\ \u2026");
  EXPECT_EQ(rows->at(1).real(2), 0.5);
  EXPECT_EQ(rows->at(1).integer(3), -7);
  EXPECT_TRUE(rows->at(1).boolean(4));
}

TEST_P(DatabaseContract, TakesTheSameStatementWithAndWithoutAValue) {
  const auto count = [&](std::optional<std::int64_t> id) {
    return read([id](Transaction& t) {
             return t.query("SELECT COUNT(*) FROM t WHERE ($1 IS NULL OR id = $1) AND n = COALESCE($2, n)",
                            {null_or(id), std::monostate()});
           })
        .value()
        .front()
        .integer(0);
  };
  ASSERT_TRUE(write("INSERT INTO t (id, n) VALUES (1, 1), (2, 2)"));
  EXPECT_EQ(count(std::nullopt), 2);
  EXPECT_EQ(count(std::int64_t{2}), 1);
}

TEST_P(DatabaseContract, CountsTheRowsThatAStatementChanged) {
  EXPECT_EQ(write("INSERT INTO t (id) VALUES (1), (2)"), 2);
  EXPECT_EQ(write("UPDATE t SET n = 1 WHERE id = 9"), 0);
  EXPECT_EQ(write("INSERT INTO t (id) VALUES (2), (3) ON CONFLICT (id) DO NOTHING"), 1);
}

TEST_P(DatabaseContract, CommitsNothingAfterAStatementFailed) {
  ASSERT_TRUE(write("INSERT INTO t (id) VALUES (1)"));
  const auto done = run([](Transaction& t) -> Result<void> {
    (void)t.execute("INSERT INTO t (id) VALUES (2)");
    EXPECT_EQ(t.execute("INSERT INTO t (id) VALUES (1)").error().code, Errc::conflict);
    EXPECT_FALSE(t.query("SELECT 1"));
    return {};
  });
  EXPECT_EQ(done.error().code, Errc::conflict);
  EXPECT_THAT(ids(), ElementsAre(1));
  EXPECT_TRUE(write("INSERT INTO t (id) VALUES (3)"));
}

TEST_P(DatabaseContract, TakesBackWhatFailedOrThrew) {
  EXPECT_FALSE(run([](Transaction& t) -> Result<void> {
    (void)t.execute("INSERT INTO t (id) VALUES (1)");
    return fail(Errc::invalid, "no");
  }));
  const auto thrown = run([](Transaction& t) -> Result<void> {
    (void)t.execute("INSERT INTO t (id) VALUES (2)");
    throw std::runtime_error("a bug");
  });
  EXPECT_EQ(thrown.error().code, Errc::internal);
  EXPECT_TRUE(ids().empty());
}

TEST_P(DatabaseContract, AnswersSeveralStatementsInTheirOrder) {
  const auto answers = run([](Transaction& t) {
    return t.query_all({{"INSERT INTO t (id) VALUES (1), (2)"},
                        {"SELECT id FROM t WHERE id > $1", {std::int64_t{1}}},
                        {"UPDATE t SET n = 5 WHERE id = 1 RETURNING n"},
                        {"SELECT COUNT(*) FROM t"}});
  });
  ASSERT_TRUE(answers) << answers.error().message;
  ASSERT_EQ(answers->size(), 4u);
  EXPECT_TRUE(answers->at(0).empty());
  EXPECT_EQ(answers->at(1).at(0).integer(0), 2);
  EXPECT_EQ(answers->at(2).at(0).integer(0), 5);
  EXPECT_EQ(answers->at(3).at(0).integer(0), 2);
}

TEST_P(DatabaseContract, CommitsNothingWhenOneOfSeveralStatementsFailed) {
  const auto done = run([](Transaction& t) {
    return t.query_all({{"INSERT INTO t (id) VALUES (1)"}, {"INSERT INTO t (id) VALUES (1)"}, {"SELECT 1"}});
  });
  EXPECT_EQ(done.error().code, Errc::conflict);
  EXPECT_TRUE(ids().empty());
  EXPECT_TRUE(write("INSERT INTO t (id) VALUES (3)"));
}

TEST_P(DatabaseContract, RunsWhatWasLeftForLaterBeforeTheNextStatementAndBeforeTheCommit) {
  std::vector<std::int64_t> told;
  const auto tell = [&told](const std::vector<Row>& rows) { told.push_back(rows.front().integer(0)); };
  const auto seen = run([&](Transaction& t) -> Result<std::int64_t> {
    t.later({"INSERT INTO t (id) VALUES ($1) RETURNING id", {std::int64_t{1}}}, tell);
    t.later({"INSERT INTO t (id) VALUES (2)"});
    const auto rows = t.query("SELECT COUNT(*) FROM t");
    EXPECT_EQ(told.size(), 1u);
    t.later({"INSERT INTO t (id) VALUES (3) RETURNING id"}, tell);
    return rows->front().integer(0);
  });
  EXPECT_EQ(seen, 2);
  EXPECT_THAT(told, ElementsAre(1, 3));
  EXPECT_THAT(ids(), ElementsAre(1, 2, 3));
}

TEST_P(DatabaseContract, FailsTheWorkWhoseStatementForLaterFails) {
  ASSERT_TRUE(write("INSERT INTO t (id) VALUES (1)"));
  bool acted = false;
  const auto done = run([&](Transaction& t) -> Result<void> {
    (void)t.execute("INSERT INTO t (id) VALUES (2)");
    t.later({"INSERT INTO t (id) VALUES (1)"}, [](const std::vector<Row>&) { ADD_FAILURE() << "it failed"; });
    t.on_commit([&acted] { acted = true; });
    return {};
  });
  EXPECT_EQ(done.error().code, Errc::conflict);
  EXPECT_FALSE(acted);
  EXPECT_THAT(ids(), ElementsAre(1));
  EXPECT_TRUE(write("INSERT INTO t (id) VALUES (3)"));
}

TEST_P(DatabaseContract, RefusesWritesAndActionsInARead) {
  EXPECT_FALSE(read([](Transaction& t) { return t.execute("INSERT INTO t (id) VALUES (1)"); }));
  EXPECT_FALSE(read([](Transaction& t) -> Result<void> {
    t.on_commit([] {});
    return {};
  }));
}

TEST_P(DatabaseContract, TellsCommitsThatFollowEachOtherInTheirOrder) {
  ASSERT_TRUE(write("INSERT INTO t (id, n) VALUES (1, 0)"));
  std::vector<std::int64_t> heard;
  Scope scope(context.get_executor());
  for (int i = 0; i < 200; ++i) {
    scope.spawn("writer", [](Database& db, std::vector<std::int64_t>& out) -> Task<void> {
      (void)co_await db.write([&out](Transaction& t) -> Result<void> {
        const auto row = t.query("UPDATE t SET n = n + 1 WHERE id = 1 RETURNING n");
        if (!row) return fail(row.error());
        t.on_commit([&out, n = row->front().integer(0)] { out.push_back(n); });
        return {};
      });
    }(*database, heard));
  }
  run_to_end(context, scope.join());
  ASSERT_EQ(heard.size(), 200u);
  EXPECT_TRUE(std::ranges::is_sorted(heard));
}

TEST_P(DatabaseContract, HasOneTimeForATransactionAndItIsTheDatabases) {
  const SystemTime before = SystemClock().now();
  const SystemTime now = run([](Transaction& t) -> Result<SystemTime> {
                           EXPECT_EQ(t.now(), t.now());
                           return t.now();
                         }).value();
  EXPECT_LE(std::chrono::abs(now - before), std::chrono::minutes(1));
}

TEST_P(DatabaseContract, KeepsWhatItAcknowledgedOverAReopen) {
  ASSERT_TRUE(write("INSERT INTO t (id) VALUES (1)"));
  database.reset();
  database = under.open(context.get_executor());
  EXPECT_THAT(ids(), ElementsAre(1));
}

TEST_P(DatabaseContract, FinishesWhatWasSubmittedBeforeClosingAndNothingAfter) {
  std::vector<Result<std::int64_t>> outcomes;
  Scope scope(context.get_executor());
  for (std::int64_t i = 0; i < 50; ++i) {
    scope.spawn("writer", [](Database& db, std::int64_t id, auto& out) -> Task<void> {
      out.push_back(co_await db.write(
          [id](Transaction& t) { return t.execute("INSERT INTO t (id) VALUES ($1)", {id}); }));
    }(*database, i, outcomes));
  }
  context.restart();
  context.poll();
  database->close();
  run_to_end(context, scope.join());
  EXPECT_EQ(std::ranges::count(outcomes, Result<std::int64_t>(1)), 50);
  EXPECT_EQ(write("DELETE FROM t").error().code, Errc::unavailable);
}

TEST_P(DatabaseContract, RefusesASchemaThatANewerReleaseMade) {
  ASSERT_TRUE(write("INSERT INTO schema_version (version, name) VALUES (9999, 'future')"));
  database.reset();
  try {
    database = under.open(context.get_executor());
    FAIL() << "it was opened";
  } catch (const std::runtime_error& refused) {
    EXPECT_THAT(refused.what(), ::testing::HasSubstr("newer release"));
  }
}

INSTANTIATE_TEST_SUITE_P(On, DatabaseContract, kBothDatabases, name_of_database);

}  // namespace
}  // namespace trawl::db
