#pragma once

#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/result.h"
#include "db/database.h"
#include "media/digest.h"
#include "media/plan.h"
#include "storage/artifact.h"
#include "storage/blobs.h"

namespace trawl::storage {

// A file that somebody brings has an upload in the place of a job: its id is Artifact::job, its epoch 1.
inline constexpr std::int64_t kUploadEpoch = 1;

// A file in a staging folder that is to become an artifact.
struct Staged {
  std::string name;  // In the staging folder: one segment.
  std::string path;  // The wished name in the API (path.h); a suffix is added if it is taken.
  media::Kind kind = media::Kind::video;
  std::string language;
  std::string mime_type;
  // What is known of its content already; it counts as long as its stamp fits.
  std::optional<media::FileDigest> digest;
};

// Artifacts:
//   staging/<job>.<epoch>/   where a lease works, on this machine; a later epoch never sees it
//   content/<job>/<epoch>/   what was published by that lease, where the backend keeps it (blobs.h)
// Nothing under content/ is reachable without its row, so files of a lease that lost its fence are
// invisible and removed by sweep().
class ArtifactStore {
 public:
  // Who else works in the tree. With others an earlier holder of a lease may come back to life.
  enum class Nodes { one, many };
  // `quota`: bytes that all artifacts may take together; 0: no limit.
  ArtifactStore(std::filesystem::path root, std::unique_ptr<Blobs> blobs, BlockingPool& files,
                db::Database& database, const Clock& clock, Nodes nodes = Nodes::one, std::int64_t quota = 0);

  // Creates the tree and checks that it and the backend can be written. Errc::unavailable or no_space. To be
  // called before anything else.
  [[nodiscard]] Task<Result<void>> open();

  // The lease's own work folder (created, mode 0700).
  [[nodiscard]] Task<Result<std::filesystem::path>> stage(JobId job, std::int64_t epoch);
  // Takes over the work folder of an earlier lease of the same job that is known to be dead, so
  // that its parts are not fetched again; the folder as stage() gives it, empty if there was none.
  // With many nodes it is copied: an earlier holder that was only frozen goes on writing into files
  // that are no longer anybody's.
  // Errc::conflict when a later lease has a folder already: then this one has lost its fence.
  [[nodiscard]] Task<Result<std::filesystem::path>> restage(JobId job, std::int64_t epoch);
  // Removes the work folders of a job, but not those of leases after `newest`.
  [[nodiscard]] Task<void> discard_stage(JobId job, std::int64_t newest = INT64_MAX);

  // Makes staged files durable in content/ (in a folder: fsync each, sha256 unless the digest is known and
  // the file has not changed since, rename, fsync the folders). The artifacts returned are not visible until
  // record() commits. Nothing is moved unless all files can be; a file whose fsync failed is removed, because
  // a second fsync would not tell the truth. Errc::invalid for a name or path that is not allowed and for
  // what is not a plain file.
  [[nodiscard]] Task<Result<std::vector<Artifact>>> publish(JobId job, std::int64_t epoch,
                                                            std::vector<Staged> files,
                                                            std::optional<SystemTime> expires_at);

  // What is known of a file in a staging folder that is still being written, and that nothing more comes to
  // be published (Blobs::grown, Blobs::forsake).
  void grown(JobId job, std::int64_t epoch, const GrowingFile& file, std::int64_t bytes);
  [[nodiscard]] Task<void> forsake(JobId job, std::int64_t epoch) { return blobs_->forsake({job, epoch}); }

  // Inserts the rows, in the transaction that completes the job. Makes paths unique, also in
  // `artifacts`.
  [[nodiscard]] static Result<void> record(db::Transaction& transaction, std::vector<Artifact>& artifacts);

  [[nodiscard]] Task<Result<std::vector<Artifact>>> of_job(JobId job);
  [[nodiscard]] Task<Result<Artifact>> by_path(std::string path);  // Errc::not_found
  // Its bytes, where the backend keeps files on this machine.
  [[nodiscard]] std::optional<std::filesystem::path> file_of(const Artifact& artifact) const;
  // Where anybody gets it from for a while, instead of from here; nothing when it is given out here.
  [[nodiscard]] Task<Result<std::optional<std::string>>> address_of(const Artifact& artifact,
                                                                    std::string disposition);
  [[nodiscard]] Blobs& blobs() { return *blobs_; }
  // A part of its bytes, at most a few MiB.
  [[nodiscard]] Task<Result<std::string>> read(const Artifact& artifact, std::int64_t offset,
                                               std::int64_t length);
  // When the job's artifacts are deleted; nothing keeps them. Errc::not_found when it has none.
  [[nodiscard]] Task<Result<void>> set_expiry(JobId job, std::optional<SystemTime> expires_at);
  // Deletes a job's artifacts, rows first.
  [[nodiscard]] Task<Result<void>> remove_of_job(JobId job);

  struct Filter {
    std::optional<std::string> owner;  // Empty: everybody's.
    std::string prefix;                // Of the paths.
    std::int64_t offset = 0, limit = 20;
  };
  struct Page {
    std::vector<Artifact> artifacts;    // Newest first.
    std::int64_t total = 0, bytes = 0;  // Of all that fit the filter.
  };
  [[nodiscard]] Task<Result<Page>> list(Filter filter);
  // Who asked for the download it came from, or brought it.
  [[nodiscard]] Task<Result<std::string>> owner_of(Artifact artifact);
  // Deletes one artifact, its row first.
  [[nodiscard]] Task<Result<void>> remove(ArtifactId id);
  struct Removed {
    std::int64_t files = 0, bytes = 0;
  };
  // Deletes every artifact that was stored earlier.
  [[nodiscard]] Task<Result<Removed>> remove_older(SystemTime than);

  // Deletes expired artifacts, and the oldest ones while all together are over the quota; files in content/
  // that no row and no running lease refers to, and the work folders of jobs that have ended or are unknown.
  // Returns how many files and work folders were removed.
  [[nodiscard]] Task<Result<std::size_t>> sweep();

  // How many artifacts reading them last showed to be damaged, by how.
  [[nodiscard]] Task<Result<std::map<Integrity, std::int64_t>>> damaged();

  struct Space {
    std::int64_t used = 0, available = 0, total = 0;
  };
  [[nodiscard]] Task<Result<Space>> space();
  // Bytes that are free for downloads, without asking the database.
  [[nodiscard]] Task<Result<std::int64_t>> available();

 private:
  [[nodiscard]] Task<Result<std::size_t>> sweep_expired();
  [[nodiscard]] Task<Result<std::size_t>> sweep_quota();
  [[nodiscard]] Task<Result<std::size_t>> sweep_staging();

  std::filesystem::path root_;
  std::unique_ptr<Blobs> blobs_;
  BlockingPool& files_;
  db::Database& database_;
  const Clock& clock_;
  const Nodes nodes_;
  const std::int64_t quota_;
};

}  // namespace trawl::storage
