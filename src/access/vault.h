#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace trawl::access {

// 32 secret bytes that encrypt what is kept in the database, wiped when
// dropped. Its id, which is no secret, says which key sealed a text.
class VaultKey {
 public:
  // 64 hex digits, or 32 bytes in base64 (either alphabet, padded or not).
  // Anything else, also something that could be stretched into a key, is
  // Errc::invalid.
  [[nodiscard]] static Result<VaultKey> parse(std::string_view text);

  VaultKey(const VaultKey&) = default;
  VaultKey& operator=(const VaultKey&) = default;
  ~VaultKey();

  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const unsigned char* bytes() const {
    return reinterpret_cast<const unsigned char*>(bytes_.data());
  }

 private:
  explicit VaultKey(std::string bytes);

  std::string bytes_;
  std::string id_;
};

// Seals secrets for the database with XChaCha20-Poly1305.
//
// A sealed text is `v1.<key id>.<base64 of nonce and ciphertext>`; the nonce is
// random, so the same secret never looks the same twice. `purpose` is bound to
// it: a text that was copied to another row, or to another kind of row, does
// not open.
class Vault {
 public:
  // The first key seals; all of them open. Without keys there is nothing to
  // seal with.
  explicit Vault(std::vector<VaultKey> keys) : keys_(std::move(keys)) {}

  [[nodiscard]] bool usable() const { return !keys_.empty(); }
  // The key new texts are sealed with; empty without keys.
  [[nodiscard]] std::string key_id() const { return keys_.empty() ? "" : keys_.front().id(); }

  // Errc::unsupported, reason "no_encryption_key", without keys.
  [[nodiscard]] Result<std::string> seal(std::string_view secret, std::string_view purpose) const;
  // Errc::internal, reason "cannot_decrypt", when the key is not here or the
  // text is not what was sealed.
  [[nodiscard]] Result<std::string> open(std::string_view sealed, std::string_view purpose) const;

  // Whether `sealed` was made with an older key and should be sealed again.
  [[nodiscard]] bool stale(std::string_view sealed) const;

 private:
  std::vector<VaultKey> keys_;
};

}  // namespace trawl::access
