#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace trawl::webhooks {

// The key of a signature, as bytes.
struct Secret {
  std::string key;
};

// Reads "whsec_" and base64 of 24 to 64 bytes (Standard Webhooks 1.0.0), or takes any other text of
// at least 16 characters as it stands. Errc::invalid; the message never holds the text.
[[nodiscard]] Result<Secret> parse_secret(std::string_view text);

// The `webhook-signature` header of Standard Webhooks 1.0.0: "v1," and base64 of
// HMAC-SHA256(id.timestamp.body), one for each secret, separated by spaces, so that a receiver that
// knows any of them can verify while secrets are rotated. `timestamp` in Unix seconds.
[[nodiscard]] std::string standard_signature(const std::vector<Secret>& secrets, std::string_view id,
                                             std::int64_t timestamp, std::string_view body);

// The `X-Webhook-Signature` header: "sha256=" and HMAC-SHA256(body) in hex.
[[nodiscard]] std::string body_signature(const Secret& secret, std::string_view body);

}  // namespace trawl::webhooks
