#include "jobs/idempotency.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;

class IdempotencyTest : public testing::Test {
 protected:
  void SetUp() override {
    database = db::open_sqlite(directory.path() / "trawl.db", context.get_executor(), &clock).value();
    keys.emplace(*database);
  }
  Result<void> record(const IdempotencyKey& given) {
    return run_to_end(context, database->write([&](db::Transaction& transaction) {
      return keys->record(transaction, given, {202, "/there", "{\"id\":1}"});
    }));
  }
  Result<std::optional<StoredAnswer>> find(const IdempotencyKey& wanted) {
    return run_to_end(context, keys->find(wanted));
  }

  TempDir directory;
  asio::io_context context;
  FakeClock clock;
  std::unique_ptr<db::Database> database;
  std::optional<Idempotency> keys;
  const IdempotencyKey key{"owner", "k1", "print"};
};

TEST_F(IdempotencyTest, AnswersTheSameRequestAgainAndRefusesAnotherWithItsKey) {
  EXPECT_EQ(find(key)->has_value(), false);
  ASSERT_TRUE(record(key));
  EXPECT_EQ(find(key)->value().body, "{\"id\":1}");
  EXPECT_EQ(find({"owner", "k1", "other"}).error().reason, "idempotency_key_reused");
  EXPECT_EQ(find({"somebody", "k1", "other"})->has_value(), false) << "keys belong to their owner";
}

TEST_F(IdempotencyTest, LetsOnlyOneRecordAKey) {
  ASSERT_TRUE(record(key));
  EXPECT_EQ(record(key).error().reason, "idempotency_raced");
}

TEST_F(IdempotencyTest, ForgetsAfterADay) {
  ASSERT_TRUE(record(key));
  clock.advance(24h);
  EXPECT_EQ(find(key)->has_value(), false);
  EXPECT_TRUE(record({"owner", "k1", "other"}));
}

TEST_F(IdempotencyTest, LetsOneRequestOfAKeyInAtATime) {
  auto first = keys->begin(key);
  EXPECT_TRUE(first);
  EXPECT_FALSE(keys->begin(key));
  EXPECT_TRUE(keys->begin({"somebody", "k1", "print"}));
  first.reset();
  EXPECT_TRUE(keys->begin(key));
}

}  // namespace
}  // namespace trawl::jobs
