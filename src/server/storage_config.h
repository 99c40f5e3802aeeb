#pragma once

#include <memory>

#include "aws/credentials.h"
#include "base/clock.h"
#include "s3/objects.h"
#include "server/config.h"
#include "storage/object_blobs.h"

namespace trawl::server {

[[nodiscard]] s3::BucketSettings bucket_settings(const S3Config& config);

// What stands between the storage and its bucket.
struct BucketAccess {
  std::unique_ptr<aws::Credentials> credentials;
  std::unique_ptr<s3::Objects> objects;
  storage::ObjectDelivery delivery;
};
// Errc::invalid for a private key or an address of keys that cannot be used.
[[nodiscard]] Result<BucketAccess> open_bucket(const Config& config, asio::any_io_executor executor,
                                               const Clock& clock);

// Keys for a service of Amazon: those of the configuration, or what the environment says.
[[nodiscard]] Result<std::unique_ptr<aws::Credentials>> open_credentials(const std::string& access_key,
                                                                         const std::string& secret_key,
                                                                         const Clock& clock);

}  // namespace trawl::server
