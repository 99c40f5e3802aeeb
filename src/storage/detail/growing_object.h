#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

#include "async/blocking_pool.h"
#include "async/scope.h"
#include "async/task.h"
#include "s3/objects.h"
#include "storage/blobs.h"
#include "storage/detail/folder.h"
#include "storage/detail/upload_ledger.h"

namespace trawl::storage::detail {

// An object that is sent in parts while its file is still being written. On the loop.
//
// Nothing depends on it: an upload that fails, or turns out to be of something else than what is published,
// is aborted, and the file is sent as any other.
class GrowingObject {
 public:
  struct Tools {
    s3::Objects& objects;
    BlockingPool& files;
    UploadLedger& ledger;
  };
  GrowingObject(Tools tools, LeaseName lease, std::filesystem::path folder, GrowingFile file);

  // As Blobs::grown. A file that would fit into one part is left alone.
  void grown(std::int64_t bytes);
  // Sends the rest and makes the object, if the file that was followed is this one. False: there is no
  // object.
  [[nodiscard]] Task<bool> finish(const Descriptor& file, std::int64_t size, std::string mime_type);
  // Ends and aborts what is under way. To be awaited before destruction.
  [[nodiscard]] Task<void> end();

 private:
  struct Sending;

  [[nodiscard]] Task<void> send(std::shared_ptr<Sending> sending);
  [[nodiscard]] Task<Result<void>> begin(Sending& sending);
  [[nodiscard]] Task<void> abort(Sending& sending);
  void give_up();

  Tools tools_;
  const LeaseName lease_;
  const std::filesystem::path folder_;
  const GrowingFile file_;
  const std::string location_;
  std::int64_t bytes_ = 0;
  std::shared_ptr<Sending> sending_;  // Of the file as it is; earlier ones are on their way out.
  Scope tasks_;
};

}  // namespace trawl::storage::detail
