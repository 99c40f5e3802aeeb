#include "webhooks/signature.h"

#include <array>

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>

namespace trawl::webhooks {
namespace {

constexpr std::string_view kPrefix = "whsec_";
constexpr std::size_t kLeastText = 16, kLeastKey = 24, kMostKey = 64;

using Digest = std::array<unsigned char, 32>;

Digest hmac(const Secret& secret, std::string_view text) {
  Digest digest{};
  unsigned int size = digest.size();
  ::HMAC(::EVP_sha256(), secret.key.data(), static_cast<int>(secret.key.size()),
         reinterpret_cast<const unsigned char*>(text.data()), text.size(), digest.data(), &size);
  return digest;
}

std::string base64(const Digest& digest) {
  std::string out(4 * ((digest.size() + 2) / 3) + 1, '\0');
  const int length =
      ::EVP_EncodeBlock(reinterpret_cast<unsigned char*>(out.data()), digest.data(), digest.size());
  out.resize(static_cast<std::size_t>(length));
  return out;
}

// Nothing for what is not padded base64.
std::optional<std::string> from_base64(std::string_view text) {
  if (text.empty() || text.size() % 4 != 0) return std::nullopt;
  std::string out(text.size() / 4 * 3, '\0');
  const int length =
      ::EVP_DecodeBlock(reinterpret_cast<unsigned char*>(out.data()),
                        reinterpret_cast<const unsigned char*>(text.data()), static_cast<int>(text.size()));
  if (length < 0) return std::nullopt;
  const std::size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  out.resize(static_cast<std::size_t>(length) - padding);
  return out;
}

}  // namespace

Result<Secret> parse_secret(std::string_view text) {
  if (!text.starts_with(kPrefix)) {
    if (text.size() >= kLeastText) return Secret{std::string(text)};
    return fail(Errc::invalid, fmt::format("a webhook secret needs at least {} characters", kLeastText));
  }
  auto key = from_base64(text.substr(kPrefix.size()));
  if (!key || key->size() < kLeastKey || key->size() > kMostKey) {
    return fail(Errc::invalid, fmt::format("after {} a webhook secret is base64 of {} to {} bytes", kPrefix,
                                           kLeastKey, kMostKey));
  }
  return Secret{std::move(*key)};
}

std::string standard_signature(const std::vector<Secret>& secrets, std::string_view id,
                               std::int64_t timestamp, std::string_view body) {
  const std::string text = fmt::format("{}.{}.{}", id, timestamp, body);
  std::string out;
  for (const Secret& secret : secrets)
    out += fmt::format("{}v1,{}", out.empty() ? "" : " ", base64(hmac(secret, text)));
  return out;
}

std::string body_signature(const Secret& secret, std::string_view body) {
  return fmt::format("sha256={:02x}", fmt::join(hmac(secret, body), ""));
}

}  // namespace trawl::webhooks
