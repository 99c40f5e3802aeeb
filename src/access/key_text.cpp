#include "access/key_text.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <stdexcept>
#include <zlib.h>

#include <openssl/crypto.h>
#include <openssl/rand.h>

#include "base/sha256.h"

namespace trawl::access {
namespace {

constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
constexpr std::string_view kPrefix = "trawl_";
constexpr std::size_t kId = 8, kSecret = 43, kChecksum = 6;
constexpr std::size_t kLength = kPrefix.size() + kId + 1 + kSecret + kChecksum;

void fill_random(std::span<std::uint8_t> out) {
  if (RAND_bytes(out.data(), static_cast<int>(out.size())) != 1)
    throw std::runtime_error("OpenSSL has no random numbers");
}

// The big-endian number `bytes` in base62, padded to `length` digits.
std::string base62(std::array<std::uint8_t, 32> bytes, std::size_t length) {
  std::string out(length, '0');
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit) {
    unsigned rest = 0;
    for (std::uint8_t& byte : bytes) {
      const unsigned value = rest * 256 + byte;
      byte = static_cast<std::uint8_t>(value / 62);
      rest = value % 62;
    }
    *digit = kDigits[rest];
  }
  return out;
}

std::string checksum_of(std::string_view text) {
  auto crc = crc32(0, reinterpret_cast<const Bytef*>(text.data()), static_cast<uInt>(text.size()));
  std::string out(kChecksum, '0');
  for (auto digit = out.rbegin(); digit != out.rend(); ++digit) {
    *digit = kDigits[crc % 62];
    crc /= 62;
  }
  return out;
}

bool base62_digits(std::string_view text) {
  return std::ranges::all_of(text, [](char c) { return kDigits.contains(c); });
}

}  // namespace

std::string random_base62(std::size_t length) {
  // Bytes from 248 up would make the first digits likelier than the others.
  std::string out;
  while (out.size() < length) {
    std::array<std::uint8_t, 32> bytes{};
    fill_random(bytes);
    for (const std::uint8_t byte : bytes) {
      if (byte < 248 && out.size() < length) out += kDigits[byte % 62];
    }
  }
  return out;
}

KeyText make_key(std::optional<std::string> id) {
  std::array<std::uint8_t, 32> secret{};
  fill_random(secret);
  KeyText key{.text = {}, .id = id ? *id : random_base62(kId)};
  key.text = std::string(kPrefix) + key.id + "_" + base62(secret, kSecret);
  key.text += checksum_of(key.text);
  return key;
}

std::optional<std::string> key_id_of(std::string_view text) {
  if (text.size() != kLength || !text.starts_with(kPrefix)) return std::nullopt;
  const std::string_view id = text.substr(kPrefix.size(), kId);
  const std::string_view rest = text.substr(kPrefix.size() + kId);
  if (!base62_digits(id) || rest.front() != '_' || !base62_digits(rest.substr(1))) return std::nullopt;
  if (checksum_of(text.substr(0, kLength - kChecksum)) != text.substr(kLength - kChecksum))
    return std::nullopt;
  return std::string(id);
}

std::string secret_digest(std::string_view secret) {
  return sha256_hex(secret);
}

bool same_digest(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace trawl::access
