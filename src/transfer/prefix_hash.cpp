#include "transfer/prefix_hash.h"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <unistd.h>
#include <vector>

#include <fmt/format.h>

namespace trawl::transfer {
namespace {

constexpr std::int64_t kPiece = 256 * 1024;  // Stays in the processor's cache.

}  // namespace

Result<void> PrefixHash::advance(int file, std::int64_t until) {
  std::vector<char> piece(static_cast<std::size_t>(std::clamp<std::int64_t>(until - bytes_, 0, kPiece)));
  while (bytes_ < until) {
    const auto wanted = static_cast<std::size_t>(std::min<std::int64_t>(until - bytes_, std::ssize(piece)));
    const ssize_t got = ::pread(file, piece.data(), wanted, bytes_);
    if (got < 0 && errno == EINTR) continue;
    if (got <= 0) {
      return fail(
          Errc::unavailable,
          fmt::format("cannot read a part back: {}", got < 0 ? std::strerror(errno) : "it is shorter"),
          "io_error");
    }
    hash_.update({piece.data(), static_cast<std::size_t>(got)});
    bytes_ += got;
  }
  return {};
}

std::string PrefixHash::digest() const {
  Sha256 copy = hash_;
  return copy.finish();
}

PrefixHash PrefixHash::resume(std::string_view state, std::int64_t bytes) {
  PrefixHash out;
  if (auto hash = bytes > 0 ? Sha256::resume(state, bytes) : std::nullopt) {
    out.hash_ = *hash;
    out.bytes_ = bytes;
  }
  return out;
}

}  // namespace trawl::transfer
