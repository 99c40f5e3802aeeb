#include "s3/bucket.h"

#include <algorithm>

#include <boost/url/parse.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace trawl::s3 {
namespace {

bool is_bucket_name(std::string_view name) {
  return name.size() >= 3 && name.size() <= 63 && name.front() != '-' && name.front() != '.' &&
         std::ranges::all_of(name, [](char c) {
           return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
         });
}

bool is_region(std::string_view region) {
  return !region.empty() && region.size() <= 64 && std::ranges::all_of(region, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  });
}

std::string amazon(std::string_view region) {
  return fmt::format("https://s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
}

struct Origin {
  std::string scheme, authority;
};

std::unexpected<Error> bad(std::string_view what) {
  return fail(Errc::invalid, fmt::format("storage.s3.{}", what), "invalid_configuration");
}

Result<Origin> read_endpoint(std::string_view text) {
  const auto url = boost::urls::parse_uri(text);
  if (!url || (url->scheme() != "https" && url->scheme() != "http") || url->host().empty() ||
      url->has_userinfo() || url->has_query() || url->has_fragment() ||
      (!url->path().empty() && url->path() != "/"))
    return bad("endpoint must be such as https://storage.example.com:9000");
  Origin out{.scheme = std::string(url->scheme()), .authority = std::string(url->encoded_host())};
  const auto usual = out.scheme == "https" ? 443 : 80;
  if (url->has_port() && url->port_number() != usual) out.authority += fmt::format(":{}", url->port_number());
  return out;
}

}  // namespace

Result<Bucket> make_bucket(const BucketSettings& settings) {
  if (!is_bucket_name(settings.name))
    return bad("bucket must be the name of a bucket: 3 to 63 lower-case letters, digits, '-' and '.'");
  if (!is_region(settings.region)) return bad("region must be such as eu-west-1");
  const bool own = !settings.endpoint.empty();
  const auto origin = read_endpoint(own ? settings.endpoint : amazon(settings.region));
  if (!origin) return fail(origin.error());
  const bool by_path =
      settings.style == Style::automatic ? own || settings.name.contains('.') : settings.style == Style::path;
  Bucket out{.origin = {}, .root = "/", .prefix = settings.prefix, .region = settings.region};
  while (out.prefix.ends_with('/')) out.prefix.pop_back();
  while (out.prefix.starts_with('/')) out.prefix.erase(0, 1);
  for (const std::string_view segment : split(out.prefix, '/')) {
    // Such paths are changed on their way.
    if (segment == "." || segment == ".." || (segment.empty() && !out.prefix.empty()))
      return bad("prefix must not have empty segments, '.' or '..'");
  }
  if (!out.prefix.empty()) out.prefix += '/';
  if (by_path) {
    out.origin = fmt::format("{}://{}", origin->scheme, origin->authority);
    out.root = fmt::format("/{}/", settings.name);
  } else {
    out.origin = fmt::format("{}://{}.{}", origin->scheme, settings.name, origin->authority);
  }
  return out;
}

std::string path_of(const Bucket& bucket, std::string_view key) {
  if (key.empty()) return bucket.root;
  return bucket.root + percent_encode(bucket.prefix, "/") + percent_encode(key, "/");
}

}  // namespace trawl::s3
