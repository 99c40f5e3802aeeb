#pragma once

#include <chrono>
#include <functional>
#include <string>

#include "access/usage.h"
#include "storage/storage.h"

namespace trawl::downloads {

struct UploadLimits {
  std::int64_t max_bytes = 1 << 30;
  std::int64_t low_disk_bytes = 0;                // No upload leaves less free.
  std::optional<std::chrono::seconds> retention;  // Nothing: files are kept.
};

// Files that people bring instead of having them downloaded.
//
// A file goes to disk as it arrives and is never in memory as a whole. It becomes visible when all of it is
// durable and its content has been looked at; until then its row keeps the sweep away, and one whose
// server died is swept. It counts against the byte quota of its owner.
class Uploads {
 public:
  Uploads(db::Database& database, storage::ArtifactStore& storage, BlockingPool& files, const Clock& clock,
          UploadLimits limits)
      : database_(database), storage_(storage), files_(files), clock_(clock), limits_(limits) {}

  // The next bytes of the file, nothing at its end.
  using Source = std::function<Task<Result<std::optional<std::string>>>()>;
  // Stores what `source` gives under a path like `path`; what kind of file it is, its content says.
  // Errc::invalid for a bad path, Errc::too_large, Errc::rate_limited ("quota_exceeded"), Errc::no_space,
  // Errc::forbidden ("unsafe_content"), Errc::unsupported ("unsupported_type"), and errors of `source`.
  [[nodiscard]] Task<Result<storage::Artifact>> receive(std::string owner, std::string path, Source source);

  [[nodiscard]] const UploadLimits& limits() const { return limits_; }

 private:
  [[nodiscard]] Task<Result<std::int64_t>> room(std::string owner);
  [[nodiscard]] Task<Result<void>> renew(JobId id);
  [[nodiscard]] Task<Result<void>> write_file(JobId id, std::filesystem::path file, std::int64_t most,
                                              Source source);
  [[nodiscard]] Task<Result<std::vector<storage::Artifact>>> publish(JobId id, storage::Staged file,
                                                                     std::optional<SystemTime> expires_at);
  [[nodiscard]] Task<void> keep(JobId id);
  [[nodiscard]] Task<Result<storage::Artifact>> store(JobId id, std::string owner, std::string path,
                                                      Source source);

  db::Database& database_;
  storage::ArtifactStore& storage_;
  BlockingPool& files_;
  const Clock& clock_;
  UploadLimits limits_;
};

}  // namespace trawl::downloads
