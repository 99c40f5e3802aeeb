#pragma once

#include <chrono>
#include <string>
#include <utility>
#include <vector>

#include "aws/keys.h"

namespace trawl::aws {

// A GET that is to be allowed by its address alone.
struct Presigned {
  std::string
      origin;        // "https://bucket.s3.eu-west-1.amazonaws.com", without a port that goes without saying.
  std::string path;  // "/videos/a.mp4", percent-encoded.
  std::vector<std::pair<std::string, std::string>> query;  // Not encoded.
  std::string region;
  std::string service = "s3";
  std::chrono::seconds lifetime{3600};  // At most a week.
};

// The address, signed with Signature Version 4. It works no longer than the keys do.
[[nodiscard]] std::string presigned_url(const Presigned& request, const Keys& keys, SystemTime now);

}  // namespace trawl::aws
