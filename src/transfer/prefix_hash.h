#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/sha256.h"

namespace trawl::transfer {

// The SHA-256 of the beginning of a file that is still being written. A value: copies go on alone.
class PrefixHash {
 public:
  [[nodiscard]] std::int64_t bytes() const { return bytes_; }

  // Reads on up to `until`, which must have been written. Blocks.
  [[nodiscard]] Result<void> advance(int file, std::int64_t until);
  // The digest of the first bytes() bytes.
  [[nodiscard]] std::string digest() const;

  // As it stands in a journal: 64 hex digits; only where bytes() is a multiple of Sha256::kBlock.
  [[nodiscard]] std::string state() const { return hash_.state(); }
  // What `state` and `bytes` say, or the very beginning if they make no sense together.
  [[nodiscard]] static PrefixHash resume(std::string_view state, std::int64_t bytes);

 private:
  Sha256 hash_;
  std::int64_t bytes_ = 0;
};

// The last place up to `offset` where state() can be asked for.
[[nodiscard]] constexpr std::int64_t hashable(std::int64_t offset) {
  return offset - offset % Sha256::kBlock;
}

}  // namespace trawl::transfer
