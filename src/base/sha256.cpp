#define OPENSSL_API_COMPAT 0x10100000L  // The functions are deprecated since 3.0 and in all of 3.x.

#include "base/sha256.h"

#include <array>
#include <charconv>

#include <fmt/format.h>

namespace trawl {
namespace {

constexpr std::size_t kWords = 8;
constexpr std::size_t kDigits = 8;  // Of a word.

}  // namespace

Sha256::Sha256() {
  SHA256_Init(&context_);
}

void Sha256::update(std::span<const char> data) {
  SHA256_Update(&context_, data.data(), data.size());
}

std::string Sha256::finish() {
  std::array<unsigned char, SHA256_DIGEST_LENGTH> digest{};
  SHA256_Final(digest.data(), &context_);
  std::string out;
  for (const unsigned char byte : digest) fmt::format_to(std::back_inserter(out), "{:02x}", byte);
  return out;
}

std::string Sha256::state() const {
  std::string out;
  for (const auto word : context_.h) fmt::format_to(std::back_inserter(out), "{:08x}", word);
  return out;
}

std::optional<Sha256> Sha256::resume(std::string_view state, std::int64_t bytes) {
  if (state.size() != kWords * kDigits || bytes < 0 || bytes % kBlock != 0) return std::nullopt;
  Sha256 out;
  for (std::size_t i = 0; i < kWords; ++i) {
    const char* first = state.data() + i * kDigits;
    const auto [end, error] = std::from_chars(first, first + kDigits, out.context_.h[i], 16);
    if (error != std::errc() || end != first + kDigits) return std::nullopt;
  }
  const auto bits = static_cast<std::uint64_t>(bytes) * 8;
  out.context_.Nl = static_cast<SHA_LONG>(bits);
  out.context_.Nh = static_cast<SHA_LONG>(bits >> 32);
  return out;
}

std::string sha256_hex(std::string_view data) {
  Sha256 hash;
  hash.update(data);
  return hash.finish();
}

}  // namespace trawl
