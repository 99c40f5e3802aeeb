#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "base/id.h"
#include "base/result.h"
#include "db/database.h"
#include "media/digest.h"

namespace trawl::storage {

// What names one lease of a job.
struct LeaseName {
  JobId job;
  std::int64_t epoch = 0;
  friend bool operator==(const LeaseName&, const LeaseName&) = default;
};

// A file of a lease's work folder that is to be stored.
struct FileToPublish {
  std::string name;  // One segment, no two the same.
  // What is known of its content already; it counts as long as its stamp fits.
  std::optional<media::FileDigest> digest;
  std::string mime_type;
};

// A file of a lease's work folder that is still being written.
struct GrowingFile {
  std::string name;        // Under which it will be published, as far as is known,
  std::string mime_type;   // as this,
  std::string unfinished;  // and its name in the folder until it is whole.
};

struct PublishedFile {
  std::int64_t size = 0;
  std::string sha256;
};

// "content/<job>/<epoch>/<name>": where a file of a lease is kept, in every backend.
[[nodiscard]] std::string location_of(const LeaseName& lease, const std::string& name);
// The lease of a location; nothing when the text is none.
[[nodiscard]] std::optional<LeaseName> lease_of(std::string_view location);

// A file as somebody who may have it is to get it.
struct Delivery {
  std::string location;
  std::string disposition;  // Content-Disposition
  std::string mime_type;
};

// Keeps the bytes of artifacts. It knows places, not names: which of them are artifacts is in the rows, and
// what no row refers to is removed by sweep(). No two leases share a place, so one that lost its fence can
// never change what another one stored.
class Blobs {
 public:
  virtual ~Blobs() = default;

  // Checks that files can be stored. To be called before anything else.
  [[nodiscard]] virtual Task<Result<void>> open() = 0;

  // Stores files of `folder`, which only the lease writes to, durably; all of them or none that a row could
  // refer to. Errc::invalid for what is not a plain file of its own.
  [[nodiscard]] virtual Task<Result<std::vector<PublishedFile>>> publish(
      LeaseName lease, std::filesystem::path folder, std::vector<FileToPublish> files) = 0;

  // The first `bytes` bytes of a file are written and stay as they are, unless it is called with fewer: then
  // the file begins anew. So they may be stored already; publish() makes use of that if this is the file it
  // is given, unchanged since. Quick. Nothing that comes of it is seen before publish().
  virtual void grown(const LeaseName& lease, const std::filesystem::path& folder, const GrowingFile& file,
                     std::int64_t bytes) = 0;
  // The lease publishes nothing more. To be awaited after grown(): what publish() had no use for goes.
  [[nodiscard]] virtual Task<void> forsake(LeaseName lease) = 0;

  // Part of the transaction that deletes the last rows of `locations`: what must be known for sweep() to
  // remove the files if remove() does not come to it.
  [[nodiscard]] virtual Result<void> disown(db::Transaction& transaction,
                                            const std::vector<std::string>& locations) = 0;
  // Removes files no row refers to any more. Says how many were there; what cannot be removed is logged
  // and left to the next sweep.
  [[nodiscard]] virtual Task<std::size_t> remove(std::vector<std::string> locations) = 0;
  // Removes the files that no row and no running lease refers to. Returns how many.
  [[nodiscard]] virtual Task<Result<std::size_t>> sweep() = 0;

  // The length of a file as it is kept. Errc::not_found when there is no such file.
  [[nodiscard]] virtual Task<Result<std::int64_t>> size_of(std::string location) = 0;
  // A part of a file, at most a few MiB. Errc::not_found when there is no such file.
  [[nodiscard]] virtual Task<Result<std::string>> read(std::string location, std::int64_t offset,
                                                       std::int64_t length) = 0;
  // An address that gives the file to anybody for a while; nothing where it is not given out that way.
  [[nodiscard]] virtual Task<Result<std::optional<std::string>>> address(Delivery delivery) = 0;
  // The file itself, where the backend keeps one on this machine.
  [[nodiscard]] virtual std::optional<std::filesystem::path> file(const std::string& location) const = 0;
};

// Files in `root`/content. `root` must exist.
[[nodiscard]] std::unique_ptr<Blobs> make_directory_blobs(std::filesystem::path root, BlockingPool& files,
                                                          db::Database& database);

}  // namespace trawl::storage
