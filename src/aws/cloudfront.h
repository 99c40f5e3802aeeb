#pragma once

#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace trawl::aws {

// What signs addresses of a CloudFront distribution: a public key's id there, and the private key here.
struct CloudFrontKey {
  std::string id;
  std::string pem;  // RSA; never logged.
};

// `url`, which may have a query, with a signature by a canned policy (CloudFront's own rules: RSA-SHA1).
// Errc::invalid when the key is none.
[[nodiscard]] Result<std::string> cloudfront_url(const std::string& url, const CloudFrontKey& key,
                                                 SystemTime expires_at);

}  // namespace trawl::aws
