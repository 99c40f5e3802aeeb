#include "access/vault.h"

#include <algorithm>
#include <sodium.h>
#include <stdexcept>

#include <fmt/format.h>

#include "base/sha256.h"
#include "base/text.h"

namespace trawl::access {
namespace {

constexpr std::size_t kKey = crypto_aead_xchacha20poly1305_ietf_KEYBYTES;
constexpr std::size_t kNonce = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES;
constexpr std::size_t kTag = crypto_aead_xchacha20poly1305_ietf_ABYTES;
constexpr std::string_view kVersion = "v1";

void start_sodium() {
  static const int started = sodium_init();
  if (started < 0) throw std::runtime_error("libsodium does not start");
}

const unsigned char* bytes_of(std::string_view text) {
  return reinterpret_cast<const unsigned char*>(text.data());
}
unsigned char* bytes_of(std::string& text) {
  return reinterpret_cast<unsigned char*>(text.data());
}

std::optional<std::string> from_hex(std::string_view text) {
  std::string out(kKey, '\0');
  std::size_t size = 0;
  if (text.size() != 2 * kKey ||
      sodium_hex2bin(bytes_of(out), out.size(), text.data(), text.size(), nullptr, &size, nullptr) != 0 ||
      size != kKey)
    return std::nullopt;
  return out;
}

std::optional<std::string> from_base64(std::string_view text, std::size_t at_most) {
  for (const int variant : {sodium_base64_VARIANT_ORIGINAL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING,
                            sodium_base64_VARIANT_URLSAFE, sodium_base64_VARIANT_URLSAFE_NO_PADDING}) {
    std::string out(at_most, '\0');
    std::size_t size = 0;
    if (sodium_base642bin(bytes_of(out), out.size(), text.data(), text.size(), nullptr, &size, nullptr,
                          variant) != 0)
      continue;
    out.resize(size);
    return out;
  }
  return std::nullopt;
}

std::string to_base64(std::string_view bytes) {
  std::string out(sodium_base64_ENCODED_LEN(bytes.size(), sodium_base64_VARIANT_URLSAFE_NO_PADDING), '\0');
  sodium_bin2base64(out.data(), out.size(), bytes_of(bytes), bytes.size(),
                    sodium_base64_VARIANT_URLSAFE_NO_PADDING);
  out.resize(out.find('\0'));
  return out;
}

// The ciphertext is bound to how it was made as well as to what it is for.
std::string associated(std::string_view key_id, std::string_view purpose) {
  return fmt::format("{}.{}.{}", kVersion, key_id, purpose);
}

}  // namespace

VaultKey::VaultKey(std::string bytes)
    : bytes_(std::move(bytes)), id_(sha256_hex("trawl vault key id\n" + bytes_).substr(0, 8)) {}

VaultKey::~VaultKey() {
  sodium_memzero(bytes_.data(), bytes_.size());
}

Result<VaultKey> VaultKey::parse(std::string_view text) {
  start_sodium();
  text = trim(text);
  auto bytes = from_hex(text);
  if (!bytes) bytes = from_base64(text, 2 * kKey);
  if (!bytes || bytes->size() != kKey)
    return fail(Errc::invalid,
                "must be 64 hex digits or 32 bytes in base64; "
                "`openssl rand -hex 32` makes one");
  return VaultKey(std::move(*bytes));
}

Result<std::string> Vault::seal(std::string_view secret, std::string_view purpose) const {
  if (keys_.empty())
    return fail(Errc::unsupported, "there is no key to encrypt with: set cookies.key or cookies.key_file",
                "no_encryption_key");
  const VaultKey& key = keys_.front();
  const std::string about = associated(key.id(), purpose);
  std::string box(kNonce + secret.size() + kTag, '\0');
  randombytes_buf(box.data(), kNonce);
  crypto_aead_xchacha20poly1305_ietf_encrypt(bytes_of(box) + kNonce, nullptr, bytes_of(secret), secret.size(),
                                             bytes_of(about), about.size(), nullptr, bytes_of(box),
                                             key.bytes());
  return fmt::format("{}.{}.{}", kVersion, key.id(), to_base64(box));
}

Result<std::string> Vault::open(std::string_view sealed, std::string_view purpose) const {
  const auto refused = [](std::string_view why) {
    return fail(Errc::internal, fmt::format("a stored secret cannot be decrypted: {}", why),
                "cannot_decrypt");
  };
  const auto parts = split(sealed, '.');
  if (parts.size() != 3 || parts[0] != kVersion) return refused("it is damaged");
  const auto key = std::ranges::find(keys_, parts[1], &VaultKey::id);
  if (key == keys_.end())
    return refused(fmt::format("the key {} is not configured", to_valid_utf8(parts[1])));
  const auto box = from_base64(parts[2], parts[2].size());
  if (!box || box->size() < kNonce + kTag) return refused("it is damaged");
  const std::string about = associated(key->id(), purpose);
  std::string secret(box->size() - kNonce - kTag, '\0');
  if (crypto_aead_xchacha20poly1305_ietf_decrypt(bytes_of(secret), nullptr, nullptr, bytes_of(*box) + kNonce,
                                                 box->size() - kNonce, bytes_of(about), about.size(),
                                                 bytes_of(*box), key->bytes()) != 0)
    return refused("it is not what was stored here");
  return secret;
}

bool Vault::stale(std::string_view sealed) const {
  const auto parts = split(sealed, '.');
  return !keys_.empty() && (parts.size() != 3 || parts[1] != keys_.front().id());
}

}  // namespace trawl::access
