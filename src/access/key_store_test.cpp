#include "access/key_store.h"

#include <gtest/gtest.h>

#include "access/key_text.h"
#include "async/run.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

class KeyStoreTest : public ::testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }
  IssuedKey make(std::string name = "laptop", Level level = Level::download) {
    return run(store.create({.name = std::move(name), .level = level}, "maker123")).value();
  }
  std::string why(const std::string& text) {
    const auto verified = run(store.verify(text));
    return verified ? "good" : verified.error().reason;
  }

  TempDir folder;
  asio::io_context context;
  FakeClock clock;
  std::unique_ptr<db::Database> database =
      db::open_sqlite(folder / "trawl.db", context.get_executor()).value();
  KeyStore store{*database, clock, context.get_executor()};
};

TEST_F(KeyStoreTest, KnowsAKeyItMadeAndNoOther) {
  const IssuedKey made = make();
  const auto key = run(store.verify(made.text));
  ASSERT_TRUE(key);
  EXPECT_EQ(key->id, made.key.id);
  EXPECT_EQ(key->name, "laptop");
  EXPECT_EQ(key->level, Level::download);
  EXPECT_EQ(key->created_by, "maker123");
  EXPECT_EQ(why(make_key().text), "key_invalid");             // Unknown id.
  EXPECT_EQ(why(make_key(made.key.id).text), "key_invalid");  // Known id, another secret.
  EXPECT_EQ(why(""), "key_invalid");
}

TEST_F(KeyStoreTest, RefusesARevokedKeyWithTheNextLookUp) {
  const IssuedKey made = make();
  EXPECT_EQ(why(made.text), "good");
  ASSERT_TRUE(run(store.revoke(made.key.id)));
  EXPECT_EQ(why(made.text), "key_revoked");
  EXPECT_EQ(run(store.usable(made.key.id)).error().reason, "key_revoked");
  EXPECT_EQ(run(store.rotate(made.key.id, 0s)).error().code, Errc::conflict);
  EXPECT_EQ(run(store.change(made.key.id, {.active = true})).error().code, Errc::conflict);
  EXPECT_EQ(why(made.text), "key_revoked");
}

TEST_F(KeyStoreTest, RefusesAKeyAfterItsTime) {
  const auto made = run(store.create({.name = "short", .expires_at = clock.now() + 10s}, "")).value();
  EXPECT_EQ(why(made.text), "good");
  clock.advance(10s);
  EXPECT_EQ(why(made.text), "key_expired");
}

TEST_F(KeyStoreTest, KeepsTheOldSecretOfARotationForItsGraceOnly) {
  const IssuedKey made = make();
  const IssuedKey next = run(store.rotate(made.key.id, 60s)).value();
  EXPECT_EQ(next.key.id, made.key.id);
  EXPECT_EQ(why(made.text), "good");
  EXPECT_EQ(why(next.text), "good");
  clock.advance(60s);
  EXPECT_EQ(why(made.text), "key_invalid");
  EXPECT_EQ(why(next.text), "good");
  const IssuedKey last = run(store.rotate(made.key.id, 0s)).value();
  EXPECT_EQ(why(next.text), "key_invalid");
  EXPECT_EQ(why(last.text), "good");
}

TEST_F(KeyStoreTest, ChangesWhatIsNamedAndNothingElse) {
  const IssuedKey made = make();
  const auto changed = run(store.change(
      made.key.id, {.notes = "n", .level = Level::read_only, .limits = KeyLimits{.requests_per_minute = 7}}));
  ASSERT_TRUE(changed);
  EXPECT_EQ(changed->name, "laptop");
  EXPECT_EQ(changed->notes, "n");
  EXPECT_EQ(changed->level, Level::read_only);
  EXPECT_EQ(changed->limits, (KeyLimits{.requests_per_minute = 7}));
  ASSERT_TRUE(run(store.change(made.key.id, {.active = false})));
  EXPECT_EQ(why(made.text), "key_disabled");
  ASSERT_TRUE(run(store.change(made.key.id, {.active = true})));
  EXPECT_EQ(why(made.text), "good");
  EXPECT_EQ(run(store.change("nobody00", {.name = "x"})).error().code, Errc::not_found);
}

TEST_F(KeyStoreTest, MakesTheFirstKeyOnce) {
  EXPECT_TRUE(run(store.empty()).value());
  const auto first = run(store.create_first({.name = "me", .level = Level::full_access}));
  ASSERT_TRUE(first);
  EXPECT_FALSE(run(store.empty()).value());
  EXPECT_EQ(run(store.create_first({.name = "you"})).error().reason, "already_bootstrapped");
  ASSERT_TRUE(run(store.revoke(first->key.id)));
  EXPECT_EQ(run(store.create_first({.name = "you"})).error().reason, "already_bootstrapped");
}

TEST_F(KeyStoreTest, NeedsNoFirstKeyWhereThereIsAny) {
  make();
  EXPECT_EQ(run(store.create_first({.name = "me"})).error().reason, "already_bootstrapped");
}

TEST_F(KeyStoreTest, ListsByLevelAndWhetherTheyCanBeUsed) {
  const auto a = make("a", Level::read_only), b = make("b"), c = make("c");
  ASSERT_TRUE(run(store.revoke(b.key.id)));
  EXPECT_EQ(run(store.list({})).value().total, 3);
  EXPECT_EQ(run(store.list({.active_only = true})).value().total, 2);
  EXPECT_EQ(run(store.list({.level = Level::read_only})).value().keys.front().id, a.key.id);
  EXPECT_EQ(run(store.list({.offset = 2, .limit = 5})).value().keys.size(), 1u);
}

TEST_F(KeyStoreTest, WritesDownHowOftenAndWhenAKeyWasUsed) {
  const IssuedKey made = make();
  EXPECT_EQ(why(made.text), "good");
  clock.advance(5s);
  EXPECT_EQ(why(made.text), "good");
  EXPECT_EQ(why(make_key(made.key.id).text), "key_invalid");
  run_to_end(context, store.stop());
  const auto key = run(store.find(made.key.id));
  EXPECT_EQ(key->usage_count, 2);
  EXPECT_EQ(key->last_used_at, clock.now());
}

}  // namespace
}  // namespace trawl::access
