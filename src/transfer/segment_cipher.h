#pragma once

#include <array>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl::transfer {

// An AES-128 key or initialisation vector.
using AesBlock = std::array<unsigned char, 16>;

// Reads exactly 32 hex digits in either case, with or without "0x". Errc::invalid, reason "bad_key".
[[nodiscard]] Result<AesBlock> parse_aes_block(std::string_view hex);

// Undoes AES-128-CBC with PKCS #7 padding (RFC 8216 section 4.3.2.4) as the bytes of one segment arrive.
class SegmentDecryptor {
 public:
  SegmentDecryptor(const AesBlock& key, const AesBlock& iv);
  ~SegmentDecryptor();
  SegmentDecryptor(SegmentDecryptor&&) noexcept;
  SegmentDecryptor& operator=(SegmentDecryptor&&) noexcept;

  // Appends to `out` what can be said already; the last block is held back.
  [[nodiscard]] Result<void> update(std::span<const char> encrypted, std::string& out);

  // Appends the last block without its padding; call once. Errc::unsupported, reason "bad_decryption",
  // when the length is not a multiple of 16 or the padding is wrong, as with a wrong key.
  [[nodiscard]] Result<void> finish(std::string& out);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// A whole segment at once.
[[nodiscard]] Result<std::string> decrypt_segment(std::span<const char> encrypted, const AesBlock& key,
                                                  const AesBlock& iv);

}  // namespace trawl::transfer
