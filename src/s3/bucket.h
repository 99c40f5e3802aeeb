#pragma once

#include <string>
#include <string_view>

#include "base/describe.h"
#include "base/result.h"

namespace trawl::s3 {

enum class Style { automatic, path, virtual_host };

// Where objects are kept, as the operator says it.
struct BucketSettings {
  std::string name;
  std::string region = "us-east-1";
  std::string endpoint;  // "https://host:port"; empty: Amazon's own of the region.
  std::string prefix;    // Before every key; empty or such as "trawl".
  Style style = Style::automatic;
};

// A bucket that can be addressed.
struct Bucket {
  std::string origin;  // "https://bucket.s3.eu-west-1.amazonaws.com", default ports left out.
  std::string root;    // What every path begins with: "/" or "/bucket/".
  std::string prefix;  // "" or "trawl/".
  std::string region;
  friend bool operator==(const Bucket&, const Bucket&) = default;
};

// A server of its own is addressed by path and Amazon by virtual host, unless `style` says; a name with dots
// fits no certificate and goes into the path as well. Errc::invalid says which setting is wrong.
[[nodiscard]] Result<Bucket> make_bucket(const BucketSettings& settings);

// The percent-encoded path of an object; of the bucket itself when `key` is empty.
[[nodiscard]] std::string path_of(const Bucket& bucket, std::string_view key);

}  // namespace trawl::s3

template <>
struct trawl::EnumText<trawl::s3::Style> {
  using S = trawl::s3::Style;
  static constexpr std::pair<S, std::string_view> names[] = {
      {S::automatic, "auto"}, {S::path, "path"}, {S::virtual_host, "virtual_host"}};
};
