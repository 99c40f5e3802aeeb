#include "access/usage.h"

#include <gtest/gtest.h>

#include "access/key_store.h"
#include "async/run.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

class QuotasTest : public ::testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }
  std::string key(KeyLimits limits) {
    KeyStore keys(*database, clock, context.get_executor());
    return run(keys.create({.name = "k", .limits = limits}, ""))->key.id;
  }
  Result<void> count(const std::string& owner) {
    return run(database->write(
        [&](db::Transaction& transaction) { return Quotas::count_jobs(transaction, owner, 1); }));
  }
  bool take(const std::string& owner) { return count(owner).has_value(); }
  void store(const std::string& owner, std::int64_t bytes) {
    ASSERT_TRUE(run(database->write(
        [&](db::Transaction& transaction) { return Quotas::count_bytes(transaction, owner, bytes); })));
  }

  TempDir folder;
  asio::io_context context;
  FakeClock clock;  // 2026-01-01
  std::unique_ptr<db::Database> database =
      db::open_sqlite(folder / "trawl.db", context.get_executor(), &clock).value();
  Quotas quotas{*database};
};

TEST_F(QuotasTest, CountsJobsByDayAndMonthOfUtc) {
  const std::string owner = key({.jobs_per_day = 2, .jobs_per_month = 3});
  EXPECT_TRUE(take(owner) && take(owner));
  EXPECT_EQ(count(owner).error().reason, "quota_exceeded");
  EXPECT_EQ(count(owner).error().code, Errc::rate_limited);
  clock.advance(24h);
  EXPECT_TRUE(take(owner));
  EXPECT_FALSE(take(owner));  // The month's.
  clock.advance(31 * 24h);
  EXPECT_TRUE(take(owner));
  const UsageReport report = run(quotas.report(owner)).value();
  EXPECT_EQ(report.day.period, "2026-02-02");
  EXPECT_EQ(report.month.period, "2026-02");
  EXPECT_EQ(report.day.jobs, 1);
  EXPECT_EQ(report.month.jobs_limit, 3);
}

TEST_F(QuotasTest, CountsARefusedJobNot) {
  const std::string owner = key({.jobs_per_day = 1});
  EXPECT_TRUE(take(owner));
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(take(owner));
  EXPECT_EQ(run(quotas.report(owner))->day.jobs, 1);
}

TEST_F(QuotasTest, RefusesAfterTheBytesAreUsed) {
  const std::string owner = key({.bytes_per_day = 1000});
  EXPECT_TRUE(take(owner));
  store(owner, 999);
  EXPECT_TRUE(take(owner));
  store(owner, 5000);
  EXPECT_FALSE(take(owner));
  EXPECT_EQ(run(quotas.report(owner))->month.bytes, 5999);
}

TEST_F(QuotasTest, SaysHowManyMoreThereMayBe) {
  const auto left = [&](const std::string& owner) {
    return run(database->read(
                   [&](db::Transaction& transaction) { return Quotas::jobs_left(transaction, owner); }))
        .value();
  };
  const std::string owner = key({.jobs_per_day = 3, .jobs_per_month = 2, .bytes_per_day = 100});
  EXPECT_EQ(left(owner), 2);
  EXPECT_TRUE(take(owner));
  EXPECT_EQ(left(owner), 1);
  store(owner, 100);
  EXPECT_EQ(left(owner), 0);
  EXPECT_EQ(left(key({.bytes_per_month = 100})), std::nullopt);
  EXPECT_EQ(left(""), std::nullopt);
}

TEST_F(QuotasTest, CountsButNeverRefusesThoseWithoutQuotas) {
  const std::string owner = key({});
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(take(owner));
  EXPECT_TRUE(take(""));
  EXPECT_EQ(run(quotas.report(owner))->day.jobs, 20);
  EXPECT_EQ(run(quotas.report(""))->day.jobs, 0);
}

}  // namespace
}  // namespace trawl::access
