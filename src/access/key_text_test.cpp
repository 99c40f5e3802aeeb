#include "access/key_text.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <numeric>
#include <random>
#include <set>
#include <vector>

#include <gtest/gtest.h>

#include "access/key.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

TEST(KeyText, IsWellFormedUniqueAndNamesItsId) {
  std::set<std::string> seen;
  for (int i = 0; i < 1000; ++i) {
    const KeyText key = make_key();
    EXPECT_EQ(key.text.size(), 64u);
    EXPECT_TRUE(key.text.starts_with("trawl_" + key.id + "_"));
    EXPECT_EQ(key_id_of(key.text), key.id);
    seen.insert(key.text.substr(15, 43));
  }
  EXPECT_EQ(seen.size(), 1000u);
}

TEST(KeyText, KeepsTheIdOfAKeyThatIsRotated) {
  const KeyText first = make_key(), second = make_key(first.id);
  EXPECT_EQ(first.id, second.id);
  EXPECT_NE(first.text, second.text);
}

TEST(KeyText, NoticesEverySingleWrongCharacterByItsChecksum) {
  const std::string text = make_key().text;
  for (std::size_t i = 0; i < text.size(); ++i) {
    std::string wrong = text;
    wrong[i] = wrong[i] == 'a' ? 'b' : 'a';
    EXPECT_EQ(key_id_of(wrong), std::nullopt) << i;
    EXPECT_EQ(key_id_of(text.substr(0, i)), std::nullopt) << i;
  }
  for (const std::string& other : {text + "x", " " + text, std::string(64, 'a'), std::string(64, '\0')})
    EXPECT_EQ(key_id_of(other), std::nullopt);
}

TEST(KeyText, IsKeptAsADigestThatDoesNotContainIt) {
  const KeyText key = make_key();
  EXPECT_EQ(secret_digest(key.text).size(), 64u);
  EXPECT_EQ(secret_digest(key.text), secret_digest(key.text));
  EXPECT_NE(secret_digest(key.text), secret_digest(make_key(key.id).text));
}

TEST(JudgeKey, TellsWhyAKeyIsRefusedOnlyToItsHolder) {
  const SystemTime now{Millis{1'000'000}};
  const std::string right(64, 'a'), wrong(64, 'b'), previous(64, 'c');
  const auto reason = [&](const Key& key, const KeySecrets& secrets, const std::string& offered) {
    const auto judged = judge_key(key, secrets, offered, now);
    return judged ? std::string("good") : judged.error().reason;
  };
  const KeySecrets secrets{.digest = right, .previous_digest = previous, .previous_until = now + 1s};
  const KeySecrets over{.digest = right, .previous_digest = previous, .previous_until = now};
  Key key;
  EXPECT_EQ(reason(key, secrets, right), "good");
  EXPECT_EQ(reason(key, secrets, previous), "good");
  EXPECT_EQ(reason(key, over, previous), "key_invalid");
  EXPECT_EQ(reason(key, {.digest = right}, ""), "key_invalid");
  key.expires_at = now + 1ms;
  EXPECT_EQ(reason(key, secrets, right), "good");
  key.expires_at = now;
  EXPECT_EQ(reason(key, secrets, right), "key_expired");
  EXPECT_EQ(reason(key, secrets, wrong), "key_invalid");
  key.active = false;
  EXPECT_EQ(reason(key, secrets, right), "key_disabled");
  key.revoked_at = now;
  EXPECT_EQ(reason(key, secrets, right), "key_revoked");
  EXPECT_EQ(reason(key, secrets, previous), "key_revoked");
  EXPECT_EQ(reason(key, secrets, wrong), "key_invalid");
}

}  // namespace
}  // namespace trawl::access
