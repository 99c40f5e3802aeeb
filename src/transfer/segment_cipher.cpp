#include "transfer/segment_cipher.h"

#include <algorithm>
#include <charconv>
#include <stdexcept>

#include <openssl/evp.h>

namespace trawl::transfer {
namespace {

// What one call of OpenSSL, whose lengths are of type int, gets at most.
constexpr std::size_t kPiece = std::size_t{1} << 20;

std::unexpected<Error> bad_decryption() {
  return fail(Errc::unsupported, "a segment cannot be decrypted: its key is wrong or it was cut",
              "bad_decryption");
}

}  // namespace

Result<AesBlock> parse_aes_block(std::string_view hex) {
  if (hex.starts_with("0x") || hex.starts_with("0X")) hex.remove_prefix(2);
  const auto bad = [] {
    return fail(Errc::invalid, "an AES-128 key or IV must be 32 hex digits", "bad_key");
  };
  AesBlock out;
  if (hex.size() != 2 * out.size()) return bad();
  for (std::size_t i = 0; i < out.size(); ++i) {
    const char* first = hex.data() + 2 * i;
    const auto [end, error] = std::from_chars(first, first + 2, out[i], 16);
    if (error != std::errc{} || end != first + 2) return bad();
  }
  return out;
}

struct SegmentDecryptor::State {
  EVP_CIPHER_CTX* context = EVP_CIPHER_CTX_new();
  State() = default;
  State(const State&) = delete;
  State& operator=(const State&) = delete;
  ~State() { EVP_CIPHER_CTX_free(context); }
};

SegmentDecryptor::SegmentDecryptor(const AesBlock& key, const AesBlock& iv)
    : state_(std::make_unique<State>()) {
  if (!state_->context ||
      EVP_DecryptInit_ex(state_->context, EVP_aes_128_cbc(), nullptr, key.data(), iv.data()) != 1) {
    throw std::runtime_error("OpenSSL offers no AES-128-CBC");
  }
}
SegmentDecryptor::~SegmentDecryptor() = default;
SegmentDecryptor::SegmentDecryptor(SegmentDecryptor&&) noexcept = default;
SegmentDecryptor& SegmentDecryptor::operator=(SegmentDecryptor&&) noexcept = default;

Result<void> SegmentDecryptor::update(std::span<const char> encrypted, std::string& out) {
  while (!encrypted.empty()) {
    const auto piece = encrypted.first(std::min(encrypted.size(), kPiece));
    const std::size_t before = out.size();
    out.resize(before + piece.size() + EVP_MAX_BLOCK_LENGTH);
    int written = 0;
    const int ok = EVP_DecryptUpdate(state_->context, reinterpret_cast<unsigned char*>(out.data() + before),
                                     &written, reinterpret_cast<const unsigned char*>(piece.data()),
                                     static_cast<int>(piece.size()));
    out.resize(before + (ok == 1 ? static_cast<std::size_t>(written) : 0));
    if (ok != 1) return bad_decryption();
    encrypted = encrypted.subspan(piece.size());
  }
  return {};
}

Result<void> SegmentDecryptor::finish(std::string& out) {
  const std::size_t before = out.size();
  out.resize(before + EVP_MAX_BLOCK_LENGTH);
  int written = 0;
  const int ok =
      EVP_DecryptFinal_ex(state_->context, reinterpret_cast<unsigned char*>(out.data() + before), &written);
  out.resize(before + (ok == 1 ? static_cast<std::size_t>(written) : 0));
  if (ok != 1) return bad_decryption();
  return {};
}

Result<std::string> decrypt_segment(std::span<const char> encrypted, const AesBlock& key,
                                    const AesBlock& iv) {
  SegmentDecryptor decryptor(key, iv);
  std::string out;
  out.reserve(encrypted.size() + EVP_MAX_BLOCK_LENGTH);
  if (auto done = decryptor.update(encrypted, out); !done) return fail(done.error());
  if (auto done = decryptor.finish(out); !done) return fail(done.error());
  return out;
}

}  // namespace trawl::transfer
