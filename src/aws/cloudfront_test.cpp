#include "aws/cloudfront.h"

#include <memory>

#include <gmock/gmock.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

namespace trawl::aws {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

struct CloudFront : ::testing::Test {
  void SetUp() override {
    pair.reset(::EVP_RSA_gen(2048));
    const std::unique_ptr<BIO, decltype(&::BIO_free)> out(::BIO_new(::BIO_s_mem()), ::BIO_free);
    ASSERT_EQ(::PEM_write_bio_PrivateKey(out.get(), pair.get(), nullptr, nullptr, 0, nullptr, nullptr), 1);
    char* text = nullptr;
    const long size = ::BIO_get_mem_data(out.get(), &text);
    pem.assign(text, static_cast<std::size_t>(size));
  }

  // Verifies as CloudFront does, with the public key.
  bool verifies(const std::string& policy, std::string signature) const {
    for (char& c : signature) c = c == '-' ? '+' : c == '_' ? '=' : c == '~' ? '/' : c;
    std::string raw(signature.size(), '\0');
    ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(raw.data()),
                      reinterpret_cast<const unsigned char*>(signature.data()),
                      static_cast<int>(signature.size()));
    raw.resize(256);
    const std::unique_ptr<EVP_MD_CTX, decltype(&::EVP_MD_CTX_free)> digest(::EVP_MD_CTX_new(),
                                                                           ::EVP_MD_CTX_free);
    ::EVP_DigestVerifyInit(digest.get(), nullptr, ::EVP_sha1(), nullptr, pair.get());
    return ::EVP_DigestVerify(digest.get(), reinterpret_cast<const unsigned char*>(raw.data()), raw.size(),
                              reinterpret_cast<const unsigned char*>(policy.data()), policy.size()) == 1;
  }

  std::unique_ptr<EVP_PKEY, decltype(&::EVP_PKEY_free)> pair{nullptr, ::EVP_PKEY_free};
  std::string pem;
};

TEST_F(CloudFront, SignsTheAddressAndItsEnd) {
  const auto url = cloudfront_url("https://d1.cloudfront.net/a.mp4", {"K123", pem},
                                  SystemTime(std::chrono::seconds(1'700'000'000)));
  ASSERT_TRUE(url);
  EXPECT_THAT(*url, StartsWith("https://d1.cloudfront.net/a.mp4?Expires=1700000000&Signature="));
  EXPECT_THAT(*url, HasSubstr("&Key-Pair-Id=K123"));
  const auto from = url->find("Signature=") + 10;
  const std::string signature = url->substr(from, url->find('&', from) - from);
  const auto policy = [](std::string_view resource) {
    return std::string(R"({"Statement":[{"Resource":")") + std::string(resource) +
           R"(","Condition":{"DateLessThan":{"AWS:EpochTime":1700000000}}}]})";
  };
  EXPECT_TRUE(verifies(policy("https://d1.cloudfront.net/a.mp4"), signature));
  EXPECT_FALSE(verifies(policy("https://d1.cloudfront.net/b.mp4"), signature));
}

TEST_F(CloudFront, RefusesWhatIsNoKey) {
  const auto url = cloudfront_url("https://d1.cloudfront.net/a.mp4", {"K123", "no key"}, SystemTime{});
  ASSERT_FALSE(url);
  EXPECT_EQ(url.error().code, Errc::invalid);
}

}  // namespace
}  // namespace trawl::aws
