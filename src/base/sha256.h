#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include <openssl/sha.h>

namespace trawl {

// Incremental SHA-256 (FIPS 180-4).
class Sha256 {
 public:
  Sha256();

  void update(std::span<const char> data);
  // The digest as 64 lower-case hex digits; call once.
  [[nodiscard]] std::string finish();

  // What was hashed so far, as 64 hex digits, for resume(); only after a multiple of kBlock bytes.
  static constexpr std::int64_t kBlock = 64;
  [[nodiscard]] std::string state() const;
  // Goes on after `bytes` bytes, a multiple of kBlock; nothing when `state` is no such state.
  [[nodiscard]] static std::optional<Sha256> resume(std::string_view state, std::int64_t bytes);

 private:
  // Of OpenSSL's older interface: the newer one has no way to keep a state over a restart.
  SHA256_CTX context_;
};

[[nodiscard]] std::string sha256_hex(std::string_view data);

}  // namespace trawl
