#include "aws/cloudfront.h"

#include <memory>

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

namespace trawl::aws {
namespace {

template <auto Free>
struct With {
  template <class T>
  void operator()(T* owned) const {
    Free(owned);
  }
};
using Bio = std::unique_ptr<BIO, With<BIO_free>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, With<EVP_PKEY_free>>;
using Digest = std::unique_ptr<EVP_MD_CTX, With<EVP_MD_CTX_free>>;

std::unexpected<Error> unusable() {
  return fail(Errc::invalid, "the private key for the CDN is no RSA key in PEM", "invalid_configuration");
}

Result<std::string> sign(const std::string& text, const std::string& pem) {
  const Bio bio(::BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())));
  const PrivateKey key(::PEM_read_bio_PrivateKey(bio.get(), nullptr, nullptr, nullptr));
  if (!key || ::EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return unusable();
  const Digest digest(::EVP_MD_CTX_new());
  std::string out(static_cast<std::size_t>(::EVP_PKEY_get_size(key.get())), '\0');
  std::size_t size = out.size();
  if (::EVP_DigestSignInit(digest.get(), nullptr, ::EVP_sha1(), nullptr, key.get()) != 1 ||
      ::EVP_DigestSign(digest.get(), reinterpret_cast<unsigned char*>(out.data()), &size,
                       reinterpret_cast<const unsigned char*>(text.data()), text.size()) != 1)
    return unusable();
  out.resize(size);
  return out;
}

// Base64 with the three characters that mean something in a query replaced.
std::string for_query(const std::string& bytes) {
  std::string out(4 * ((bytes.size() + 2) / 3) + 1, '\0');
  const int size =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(bytes.data()), static_cast<int>(bytes.size()));
  out.resize(static_cast<std::size_t>(size));
  for (char& c : out) c = c == '+' ? '-' : c == '=' ? '_' : c == '/' ? '~' : c;
  return out;
}

}  // namespace

Result<std::string> cloudfront_url(const std::string& url, const CloudFrontKey& key, SystemTime expires_at) {
  const auto until = std::chrono::floor<std::chrono::seconds>(expires_at).time_since_epoch().count();
  const std::string policy = fmt::format(
      R"({{"Statement":[{{"Resource":"{}","Condition":{{"DateLessThan":{{"AWS:EpochTime":{}}}}}}}]}})", url,
      until);
  const auto signature = sign(policy, key.pem);
  if (!signature) return fail(signature.error());
  return fmt::format("{}{}Expires={}&Signature={}&Key-Pair-Id={}", url, url.contains('?') ? '&' : '?', until,
                     for_query(*signature), key.id);
}

}  // namespace trawl::aws
