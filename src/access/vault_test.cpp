#include "access/vault.h"

#include <gtest/gtest.h>

namespace trawl::access {
namespace {

const std::string kOne(64, 'a'), kTwo(64, 'b');

Vault vault(std::initializer_list<std::string> keys) {
  std::vector<VaultKey> out;
  for (const std::string& key : keys) out.push_back(VaultKey::parse(key).value());
  return Vault(std::move(out));
}

TEST(VaultKey, IsThirtyTwoBytesInHexOrBase64AndNothingElse) {
  const std::string base64 = "qqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqqo";
  EXPECT_EQ(VaultKey::parse(kOne)->id(), VaultKey::parse(base64)->id());
  EXPECT_EQ(VaultKey::parse(kOne)->id(), VaultKey::parse(base64 + "=\n")->id());
  EXPECT_NE(VaultKey::parse(kOne)->id(), VaultKey::parse(kTwo)->id());
  for (const std::string& wrong :
       {std::string(), std::string("secret"), std::string(63, 'a'), std::string(65, 'a'),
        std::string(32, 'a'), std::string(64, 'x'), base64.substr(1), base64 + "AAAA", std::string(64, '\0')})
    EXPECT_FALSE(VaultKey::parse(wrong)) << wrong;
}

TEST(Vault, OpensWhatItSealedAndNeverSealsTheSameTwice) {
  const Vault one = vault({kOne});
  std::string long_secret(100'000, 's');
  for (const std::string& secret : {std::string(), std::string("x"), std::string("a\0b", 3), long_secret}) {
    const std::string first = one.seal(secret, "row 1").value(), second = one.seal(secret, "row 1").value();
    EXPECT_NE(first, second);
    if (secret.size() > 2) EXPECT_FALSE(first.contains(secret));
    EXPECT_EQ(one.open(first, "row 1"), secret);
    EXPECT_EQ(one.open(second, "row 1"), secret);
  }
}

TEST(Vault, OpensNothingThatWasChangedOrPutSomewhereElse) {
  const Vault one = vault({kOne});
  const std::string sealed = one.seal("session=1", "row 1").value();
  EXPECT_EQ(one.open(sealed, "row 2").error().reason, "cannot_decrypt");
  EXPECT_EQ(vault({kTwo}).open(sealed, "row 1").error().reason, "cannot_decrypt");
  for (std::size_t i = 0; i < sealed.size(); ++i) {
    std::string changed = sealed;
    changed[i] = changed[i] == 'A' ? 'Q' : 'A';
    const auto opened = one.open(changed, "row 1");
    EXPECT_TRUE(!opened || i + 1 == sealed.size()) << i;  // The last digit has bits that say nothing.
    EXPECT_FALSE(one.open(sealed.substr(0, i), "row 1"));
  }
}

TEST(Vault, OpensWithOlderKeysAndSealsWithTheNewest) {
  const std::string old = vault({kOne}).seal("s", "p").value();
  const Vault rotated = vault({kTwo, kOne});
  EXPECT_EQ(rotated.open(old, "p"), "s");
  EXPECT_TRUE(rotated.stale(old));
  const std::string fresh = rotated.seal("s", "p").value();
  EXPECT_FALSE(rotated.stale(fresh));
  EXPECT_EQ(vault({kTwo}).open(fresh, "p"), "s");
}

TEST(Vault, SealsNothingWithoutAKey) {
  EXPECT_EQ(Vault({}).seal("s", "p").error().reason, "no_encryption_key");
  EXPECT_FALSE(Vault({}).usable());
}

}  // namespace
}  // namespace trawl::access
