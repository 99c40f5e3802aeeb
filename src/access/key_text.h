#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace trawl::access {

// An API key as its holder writes it: `trawl_<id>_<secret><checksum>`. The id (8 characters) is no secret;
// the secret is 32 random bytes in base62 (43 characters); the checksum is the CRC-32 of everything
// before it (6 characters), so that a mistyped or cut key, or one a scanner found by chance, is told
// from a real one without asking anybody.
struct KeyText {
  std::string text;
  std::string id;
};

// A new key; with `id`, another secret for that one.
[[nodiscard]] KeyText make_key(std::optional<std::string> id = {});

// The id of a well-formed key whose checksum is right; nothing for anything else.
[[nodiscard]] std::optional<std::string> key_id_of(std::string_view text);

// What is kept of a secret that is as random as a key: its SHA-256 in hex. No slow hash is needed at
// 256 bits of entropy.
[[nodiscard]] std::string secret_digest(std::string_view secret);

// Compares two digests in a time that does not depend on where they differ.
[[nodiscard]] bool same_digest(std::string_view a, std::string_view b);

// `length` random characters of [0-9A-Za-z].
[[nodiscard]] std::string random_base62(std::size_t length);

}  // namespace trawl::access
