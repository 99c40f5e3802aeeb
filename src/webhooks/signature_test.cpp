#include "webhooks/signature.h"

#include <gtest/gtest.h>

namespace trawl::webhooks {
namespace {

// The published example of Standard Webhooks' reference libraries.
constexpr std::string_view kSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
constexpr std::string_view kId = "msg_p5jXN8AQM9LWM0D4loKWxJek";
constexpr std::int64_t kTimestamp = 1614265330;
constexpr std::string_view kBody = R"({"test": 2432232314})";
constexpr std::string_view kSignature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";

TEST(Signature, IsThatOfTheReferenceLibraries) {
  const auto secret = parse_secret(kSecret);
  ASSERT_TRUE(secret);
  EXPECT_EQ(standard_signature({*secret}, kId, kTimestamp, kBody), kSignature);
}

TEST(Signature, IsGivenForEverySecretDuringARotation) {
  const auto old_secret = parse_secret(kSecret);
  const auto new_secret = parse_secret("a new secret of some length");
  ASSERT_TRUE(old_secret && new_secret);
  const std::string both = standard_signature({*new_secret, *old_secret}, kId, kTimestamp, kBody);
  EXPECT_EQ(both, standard_signature({*new_secret}, kId, kTimestamp, kBody) + " " + std::string(kSignature));
}

TEST(Signature, CoversIdTimeAndBody) {
  const std::vector<Secret> secrets = {*parse_secret(kSecret)};
  const std::string signature = standard_signature(secrets, kId, kTimestamp, kBody);
  EXPECT_NE(standard_signature(secrets, "msg_other", kTimestamp, kBody), signature);
  EXPECT_NE(standard_signature(secrets, kId, kTimestamp + 1, kBody), signature);
  EXPECT_NE(standard_signature(secrets, kId, kTimestamp, "{}"), signature);
}

TEST(Signature, OfTheBodyAloneIsHexOfHmacSha256) {
  // RFC 4231, test case 2, with a key long enough to be one: computed by openssl dgst -sha256 -hmac.
  EXPECT_EQ(body_signature({"Jefe"}, "what do ya want for nothing?"),
            "sha256=5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Secret, IsRefusedWithoutBeingRepeated) {
  for (const std::string_view text :
       {"", "short", "whsec_", "whsec_AAAA", "whsec_not base64!", "whsec_MfKQ9r8"}) {
    const auto secret = parse_secret(text);
    ASSERT_FALSE(secret) << text;
    if (text.size() > 6)
      EXPECT_FALSE(secret.error().message.contains(text.substr(6))) << secret.error().message;
  }
}

}  // namespace
}  // namespace trawl::webhooks
