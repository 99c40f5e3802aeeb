#include "transfer/segment_cipher.h"

#include <gtest/gtest.h>

namespace trawl::transfer {
namespace {

std::string from_hex(std::string_view hex) {
  std::string out;
  for (std::size_t i = 0; i + 1 < hex.size(); i += 2) {
    out += static_cast<char>(std::stoi(std::string(hex.substr(i, 2)), nullptr, 16));
  }
  return out;
}

const AesBlock kKey = parse_aes_block("2b7e151628aed2a6abf7158809cf4f3c").value();
const AesBlock kIv = parse_aes_block("000102030405060708090a0b0c0d0e0f").value();

// The first block is that of NIST SP 800-38A F.2.1; the second is a whole block of padding.
const std::string kEncrypted = from_hex("7649abac8119b246cee98e9b12e9197d8964e0b149c10b7b682e6e39aaeb731c");
const std::string kPlain = from_hex("6bc1bee22e409f96e93d7e117393172a");

TEST(SegmentCipher, DecryptsAKnownVector) {
  EXPECT_EQ(decrypt_segment(kEncrypted, kKey, kIv).value(), kPlain);
}

TEST(SegmentCipher, DecryptsTheSameHoweverTheBytesArrive) {
  for (std::size_t step = 1; step <= kEncrypted.size(); ++step) {
    SegmentDecryptor decryptor(kKey, kIv);
    std::string out;
    for (std::size_t at = 0; at < kEncrypted.size(); at += step) {
      ASSERT_TRUE(
          decryptor.update(std::span(kEncrypted).subspan(at, std::min(step, kEncrypted.size() - at)), out));
    }
    ASSERT_TRUE(decryptor.finish(out));
    EXPECT_EQ(out, kPlain) << "in steps of " << step;
  }
}

TEST(SegmentCipher, RefusesWhatAWrongKeyMakesOfIt) {
  AesBlock wrong = kKey;
  wrong[3] ^= 1;
  EXPECT_EQ(decrypt_segment(kEncrypted, wrong, kIv).error().reason, "bad_decryption");
}

TEST(SegmentCipher, RefusesLengthsThatAreNoWholeBlocks) {
  for (const std::size_t size : {0, 1, 15, 17, 31}) {
    EXPECT_EQ(decrypt_segment(std::span(kEncrypted).first(size), kKey, kIv).error().reason, "bad_decryption")
        << size;
  }
}

TEST(SegmentCipher, RefusesASegmentCutAtABlockBorder) {
  EXPECT_EQ(decrypt_segment(std::span(kEncrypted).first(16), kKey, kIv).error().reason, "bad_decryption");
}

TEST(SegmentCipher, ReadsKeysOf32HexDigitsOnly) {
  EXPECT_TRUE(parse_aes_block("0x000102030405060708090A0B0C0D0E0F"));
  for (const char* bad :
       {"", "0x", "00", "000102030405060708090a0b0c0d0e0g", "-00102030405060708090a0b0c0d0e0f",
        "000102030405060708090a0b0c0d0e0f00", " 00102030405060708090a0b0c0d0e0f"}) {
    EXPECT_EQ(parse_aes_block(bad).error().reason, "bad_key") << bad;
  }
}

}  // namespace
}  // namespace trawl::transfer
