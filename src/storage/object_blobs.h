#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "s3/objects.h"
#include "storage/blobs.h"

namespace trawl::storage {

// How those who may have a file get it out of a bucket.
struct ObjectDelivery {
  // The address that gives an object to anybody for a while; absent: files are passed on from here.
  using Address = std::function<Result<std::string>(const Delivery&, const aws::Keys&)>;
  Address address;
};

// Presigned addresses of the bucket.
[[nodiscard]] ObjectDelivery::Address presigned(const s3::Bucket& bucket, std::chrono::seconds lifetime,
                                                const Clock& clock);

// From when on a file is sent: its beginning, while the rest has yet to come, or when it is there.
enum class SendFrom { beginning, whole_file };

// Objects in a bucket, each under its location. What was written is in the table `object_writes` before it is
// sent, so that nothing is ever lost track of and the bucket need not be listed: sweep() aborts the uploads
// and deletes the objects of leases that are over and did not record them.
[[nodiscard]] std::unique_ptr<Blobs> make_object_blobs(s3::Objects& objects, ObjectDelivery delivery,
                                                       BlockingPool& files, db::Database& database,
                                                       const Clock& clock,
                                                       SendFrom from = SendFrom::beginning);

}  // namespace trawl::storage
