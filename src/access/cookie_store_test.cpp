#include "access/cookie_store.h"

#include <gtest/gtest.h>

#include "async/run.h"
#include "testing/fake_clock.h"
#include "testing/temp_dir.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

class CookieStoreTest : public ::testing::Test {
 protected:
  template <class T>
  T run(Task<T> task) {
    return run_to_end(context, std::move(task));
  }
  static Vault vault(std::initializer_list<char> keys) {
    std::vector<VaultKey> out;
    for (const char key : keys) out.push_back(VaultKey::parse(std::string(64, key)).value());
    return Vault(std::move(out));
  }
  std::string add(const std::string& owner, std::optional<std::int64_t> expires = {}) {
    const auto set = run(store.add(
        {.owner = owner,
         .name = "mine",
         .browser = {},
         .cookies = {{.domain = "example.com", .expires = expires, .name = "sid", .value = "s3cret"}}}));
    return set.value().id.str();
  }
  std::vector<std::string> sealed() {
    return run(database->read([](db::Transaction& transaction) -> Result<std::vector<std::string>> {
             const auto rows = transaction.query("SELECT sealed FROM cookies");
             std::vector<std::string> out;
             for (const db::Row& row : *rows) out.push_back(row.text(0));
             return out;
           }))
        .value();
  }

  TempDir folder;
  asio::io_context context;
  FakeClock clock;
  std::unique_ptr<db::Database> database =
      db::open_sqlite(folder / "trawl.db", context.get_executor()).value();
  CookieStore store{*database, clock, vault({'a'})};
};

TEST_F(CookieStoreTest, GivesCookiesBackToTheirOwnerOnly) {
  const std::string id = add("alice");
  EXPECT_TRUE(run(store.netscape(id, "alice")).value().contains("sid\ts3cret"));
  EXPECT_EQ(run(store.netscape(id, "bob")).error().reason, "unknown_cookies");
  EXPECT_EQ(run(store.check_usable(id, "bob")).error().reason, "unknown_cookies");
  EXPECT_EQ(run(store.find(id, "bob")).error().code, Errc::not_found);
  EXPECT_EQ(run(store.remove(id, "bob")).error().code, Errc::not_found);
  EXPECT_TRUE(run(store.list("bob")).value().empty());
  EXPECT_EQ(run(store.list(std::nullopt)).value().size(), 1u);
  EXPECT_TRUE(run(store.remove(id, "alice")));
  EXPECT_EQ(run(store.netscape(id, "alice")).error().reason, "unknown_cookies");
}

TEST_F(CookieStoreTest, KeepsThemSealedAndNeverTheSameTwice) {
  add("alice");
  add("alice");
  const auto texts = sealed();
  ASSERT_EQ(texts.size(), 2u);
  EXPECT_NE(texts[0], texts[1]);
  for (const std::string& text : texts) EXPECT_FALSE(text.contains("s3cret") || text.contains("example"));
}

TEST_F(CookieStoreTest, OpensNoTextThatWasMovedToAnotherRow) {
  const std::string mine = add("alice"), theirs = add("bob");
  ASSERT_TRUE(run(database->write([&](db::Transaction& transaction) {
    return transaction.execute(
        "UPDATE cookies SET sealed = (SELECT sealed "
        "FROM cookies WHERE id = $1) WHERE id = $2",
        {theirs, mine});
  })));
  EXPECT_EQ(run(store.netscape(mine, "alice")).error().reason, "cannot_decrypt");
}

TEST_F(CookieStoreTest, RefusesASetOnceAllOfItHasExpired) {
  const auto now = std::chrono::duration_cast<std::chrono::seconds>(clock.now().time_since_epoch()).count();
  const std::string id = add("alice", now + 60), endless = add("alice");
  EXPECT_TRUE(run(store.check_usable(id, "alice")));
  clock.advance(60s);
  EXPECT_EQ(run(store.check_usable(id, "alice")).error().reason, "cookies_expired");
  EXPECT_TRUE(run(store.check_usable(endless, "alice")));
}

TEST(CookieSet, KnowsWhenItEndsAndWhenItIsDue) {
  const SystemTime made{Millis{1'767'225'600'000}};
  CookieSet set{.created_at = made};
  EXPECT_FALSE(set.ends_within(1000h, made)) << "it never ends";
  set.first_expiry = made + 48h;
  EXPECT_FALSE(set.ends_within(24h, made));
  EXPECT_TRUE(set.ends_within(24h, made + 24h));
  EXPECT_FALSE(set.is_due(24h, made + 23h));
  EXPECT_TRUE(set.is_due(24h, made + 24h));
  EXPECT_FALSE(set.is_due(0h, made + 10'000h));
}

TEST_F(CookieStoreTest, SealsAgainWithANewKeyAndThenNeedsTheOldOneNoMore) {
  const std::string id = add("alice");
  CookieStore rotated(*database, clock, vault({'b', 'a'}));
  EXPECT_EQ(run(rotated.rotate()), 1u);
  EXPECT_EQ(run(rotated.rotate()), 0u);
  CookieStore after(*database, clock, vault({'b'}));
  EXPECT_TRUE(run(after.netscape(id, "alice")).value().contains("s3cret"));
  EXPECT_EQ(run(store.netscape(id, "alice")).error().reason, "cannot_decrypt");
}

TEST_F(CookieStoreTest, StoresNothingWithoutAKey) {
  CookieStore keyless(*database, clock, Vault({}));
  EXPECT_EQ(
      run(keyless.add({.owner = "", .name = "x", .browser = {}, .cookies = {{.domain = "a.b", .name = "n"}}}))
          .error()
          .reason,
      "no_encryption_key");
}

}  // namespace
}  // namespace trawl::access
