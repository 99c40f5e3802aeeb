#include "server/storage_config.h"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

#include "aws/cloudfront.h"
#include "server/environment.h"

namespace trawl::server {
namespace {

// Addresses of a CDN before the bucket, signed when there is a key.
storage::ObjectDelivery::Address by_cdn(const S3Config& config, const s3::Bucket& bucket, std::string pem,
                                        const Clock& clock) {
  return [domain = config.cdn_domain, key = aws::CloudFrontKey{config.cdn_key_id, std::move(pem)},
          prefix = bucket.prefix, ttl = std::chrono::seconds(config.url_ttl),
          &clock](const storage::Delivery& file, const aws::Keys&) -> Result<std::string> {
    const s3::Bucket cdn{.origin = "https://" + domain, .root = "/", .prefix = prefix, .region = {}};
    const std::string url = cdn.origin + s3::path_of(cdn, file.location);
    if (key.id.empty()) return url;
    return aws::cloudfront_url(url, key, clock.now() + ttl);
  };
}

Result<std::string> read_key(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  std::string pem{std::istreambuf_iterator<char>(in), {}};
  if (in && !pem.empty()) return pem;
  return fail(Errc::invalid, fmt::format("cannot read {} (storage.s3.cdn_key_file)", file),
              "invalid_configuration");
}

Result<storage::ObjectDelivery> delivery_of(const S3Config& config, const s3::Bucket& bucket,
                                            const Clock& clock) {
  FileDelivery how = config.delivery;
  if (how == FileDelivery::automatic)
    how = config.cdn_domain.empty() ? FileDelivery::redirect : FileDelivery::cdn;
  if (how == FileDelivery::proxy) return storage::ObjectDelivery{};
  if (how == FileDelivery::redirect)
    return storage::ObjectDelivery{storage::presigned(bucket, std::chrono::seconds(config.url_ttl), clock)};
  std::string pem;
  if (!config.cdn_key_file.empty()) {
    auto read = read_key(config.cdn_key_file);
    if (!read) return fail(std::move(read.error()));
    pem = std::move(*read);
    // A key that cannot sign is noticed at the start.
    if (auto tried = aws::cloudfront_url("https://x/", {config.cdn_key_id, pem}, clock.now()); !tried)
      return fail(std::move(tried.error()));
  }
  return storage::ObjectDelivery{by_cdn(config, bucket, std::move(pem), clock)};
}

}  // namespace

s3::BucketSettings bucket_settings(const S3Config& config) {
  return {.name = config.bucket,
          .region = config.region,
          .endpoint = config.endpoint,
          .prefix = config.prefix,
          .style = config.style};
}

Result<std::unique_ptr<aws::Credentials>> open_credentials(const std::string& access_key,
                                                           const std::string& secret_key,
                                                           const Clock& clock) {
  auto sources = aws::key_sources({.access = access_key, .secret = secret_key}, environment());
  if (!sources) return fail(std::move(sources.error()));
  return std::make_unique<aws::Credentials>(std::move(*sources), clock);
}

Result<BucketAccess> open_bucket(const Config& config, asio::any_io_executor executor, const Clock& clock) {
  const S3Config& s3 = config.storage_s3;
  BucketAccess out;
  auto bucket = s3::make_bucket(bucket_settings(s3));
  if (!bucket) return fail(std::move(bucket.error()));
  auto delivery = delivery_of(s3, *bucket, clock);
  if (!delivery) return fail(std::move(delivery.error()));
  out.delivery = std::move(*delivery);
  auto credentials = open_credentials(s3.access_key, s3.secret_key, clock);
  if (!credentials) return fail(std::move(credentials.error()));
  out.credentials = std::move(*credentials);
  out.objects = std::make_unique<s3::Objects>(
      std::move(executor), std::move(*bucket), *out.credentials,
      s3::Objects::Options{.ca_file = s3.ca_file,
                           .connections = static_cast<std::size_t>(s3.connections),
                           .part_bytes = s3.part_bytes.value});
  return out;
}

}  // namespace trawl::server
