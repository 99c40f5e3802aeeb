#include "storage/storage.h"

#include <cerrno>
#include <set>
#include <sys/statvfs.h>
#include <system_error>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "storage/detail/folder.h"
#include "storage/detail/lease_folder.h"
#include "storage/path.h"

namespace trawl::storage {
namespace {

constexpr int kMaxCollisions = 10'000;

Result<void> create_tree(const std::filesystem::path& root) {
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return detail::io_failure("create the storage folder", root, error.value());
  if (auto made = detail::make_folder(root / "staging", 0700); !made) return made;
  return detail::sync_folder(root);
}

Result<struct statvfs> examine_disk(const std::filesystem::path& root) {
  struct statvfs disk{};
  if (::statvfs(root.c_str(), &disk) != 0) return detail::io_failure("examine the disk of", root, errno);
  return disk;
}

Result<void> check_staged(const std::vector<Staged>& files) {
  std::set<std::string_view> names;
  for (const Staged& file : files) {
    if (auto fine = check_segment(file.name); !fine) return fine;
    if (auto fine = check_path(file.path); !fine) return fine;
    if (!names.insert(file.name).second)
      return fail(Errc::invalid, fmt::format("'{}' is to be stored twice", file.name));
  }
  return {};
}

std::vector<FileToPublish> to_publish(const std::vector<Staged>& files) {
  std::vector<FileToPublish> out;
  for (const Staged& file : files) out.push_back({file.name, file.digest, file.mime_type});
  return out;
}

Result<void> record_one(db::Transaction& transaction, Artifact& artifact) {
  const std::string wished = artifact.path;
  for (int collisions = 0; collisions < kMaxCollisions; ++collisions) {
    artifact.path = candidate_path(wished, artifact.job, collisions);
    const auto inserted = insert_artifact(transaction, artifact);
    if (!inserted) return fail(inserted.error());
    if (*inserted) return {};
  }
  return fail(Errc::conflict, fmt::format("no free name like '{}' is left", wished));
}

}  // namespace

ArtifactStore::ArtifactStore(std::filesystem::path root, std::unique_ptr<Blobs> blobs, BlockingPool& files,
                             db::Database& database, const Clock& clock, Nodes nodes, std::int64_t quota)
    : root_(std::filesystem::absolute(std::move(root))),
      blobs_(std::move(blobs)),
      files_(files),
      database_(database),
      clock_(clock),
      nodes_(nodes),
      quota_(quota) {}

Task<Result<void>> ArtifactStore::open() {
  if (auto created = co_await files_.run([this] { return create_tree(root_); }); !created) co_return created;
  co_return co_await blobs_->open();
}

Task<Result<std::filesystem::path>> ArtifactStore::stage(JobId job, std::int64_t epoch) {
  const std::filesystem::path folder = detail::staging_folder(root_, {job, epoch});
  const auto made = co_await files_.run([&folder] { return detail::make_folder(folder, 0700); });
  if (!made) co_return fail(made.error());
  co_return folder;
}

Task<Result<std::filesystem::path>> ArtifactStore::restage(JobId job, std::int64_t epoch) {
  const LeaseName lease{job, epoch};
  const auto how = nodes_ == Nodes::one ? detail::TakeOver::move : detail::TakeOver::copy;
  const auto taken =
      co_await files_.run([this, &lease, how] { return detail::take_over_staging(root_, lease, how); });
  if (!taken) co_return fail(taken.error());
  co_return detail::staging_folder(root_, lease);
}

Task<void> ArtifactStore::discard_stage(JobId job, std::int64_t newest) {
  co_await files_.run([this, job, newest] {
    const auto known = detail::list_staging(root_);
    if (!known) return log_warn("cannot look for work folders", {{"error", known.error().message}});
    for (const LeaseName& lease : *known) {
      if (lease.job == job && lease.epoch <= newest)
        detail::remove_tree(detail::staging_folder(root_, lease));
    }
  });
}

Task<Result<std::vector<Artifact>>> ArtifactStore::publish(JobId job, std::int64_t epoch,
                                                           std::vector<Staged> files,
                                                           std::optional<SystemTime> expires_at) {
  if (const auto fine = check_staged(files); !fine) co_return fail(fine.error());
  const LeaseName lease{job, epoch};
  auto published = co_await blobs_->publish(lease, detail::staging_folder(root_, lease), to_publish(files));
  if (!published) co_return fail(published.error());

  std::vector<Artifact> artifacts;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Staged& file = files[i];
    artifacts.push_back({.id = ArtifactId::make(clock_.now()),
                         .job = job,
                         .kind = file.kind,
                         .path = std::move(file.path),
                         .location = location_of(lease, file.name),
                         .mime_type = std::move(file.mime_type),
                         .language = std::move(file.language),
                         .size = (*published)[i].size,
                         .sha256 = (*published)[i].sha256,
                         .created_at = clock_.now(),
                         .expires_at = expires_at,
                         .checked_at = clock_.now()});
  }
  co_return artifacts;
}

void ArtifactStore::grown(JobId job, std::int64_t epoch, const GrowingFile& file, std::int64_t bytes) {
  const LeaseName lease{job, epoch};
  blobs_->grown(lease, detail::staging_folder(root_, lease), file, bytes);
}

Result<void> ArtifactStore::record(db::Transaction& transaction, std::vector<Artifact>& artifacts) {
  for (Artifact& artifact : artifacts) {
    if (auto recorded = record_one(transaction, artifact); !recorded) return recorded;
  }
  return {};
}

Task<Result<std::vector<Artifact>>> ArtifactStore::of_job(JobId job) {
  co_return co_await database_.read([job](db::Transaction& transaction) {
    return select_artifacts(transaction, "job_id = $1", {job.str()});
  });
}

Task<Result<Artifact>> ArtifactStore::by_path(std::string path) {
  auto found = co_await database_.read(
      [path](db::Transaction& transaction) { return select_artifacts(transaction, "path = $1", {path}); });
  if (!found) co_return fail(std::move(found.error()));
  if (found->empty())
    co_return fail(Errc::not_found, fmt::format("there is no file '{}'", to_valid_utf8(path)));
  co_return std::move(found->front());
}

std::optional<std::filesystem::path> ArtifactStore::file_of(const Artifact& artifact) const {
  return blobs_->file(artifact.location);
}

Task<Result<std::optional<std::string>>> ArtifactStore::address_of(const Artifact& artifact,
                                                                   std::string disposition) {
  return blobs_->address({.location = artifact.location,
                          .disposition = std::move(disposition),
                          .mime_type = artifact.mime_type});
}

Task<Result<std::string>> ArtifactStore::read(const Artifact& artifact, std::int64_t offset,
                                              std::int64_t length) {
  return blobs_->read(artifact.location, offset, length);
}

Task<Result<void>> ArtifactStore::set_expiry(JobId job, std::optional<SystemTime> expires_at) {
  const auto until = db::null_or(
      expires_at ? std::optional<std::int64_t>(expires_at->time_since_epoch().count()) : std::nullopt);
  co_return co_await database_.write([job, until](db::Transaction& transaction) -> Result<void> {
    const auto changed =
        transaction.execute("UPDATE artifacts SET expires_at = $1 WHERE job_id = $2", {until, job.str()});
    if (!changed) return fail(changed.error());
    if (*changed == 0) return fail(Errc::not_found, "the download has no stored files", "no_files");
    return {};
  });
}

Task<Result<void>> ArtifactStore::remove_of_job(JobId job) {
  auto unused =
      co_await database_.write([this, job](db::Transaction& transaction) -> Result<std::vector<std::string>> {
        auto locations = delete_artifacts(transaction, "job_id = $1", {job.str()});
        if (!locations) return locations;
        if (auto noted = blobs_->disown(transaction, *locations); !noted) return fail(noted.error());
        return locations;
      });
  if (!unused) co_return fail(unused.error());
  co_await blobs_->remove(std::move(*unused));
  co_return Result<void>();
}

Task<Result<ArtifactStore::Space>> ArtifactStore::space() {
  const auto used =
      co_await database_.read([](db::Transaction& transaction) { return stored_bytes(transaction); });
  if (!used) co_return fail(used.error());
  co_return co_await files_.run([this, &used]() -> Result<Space> {
    const auto disk = examine_disk(root_);
    if (!disk) return fail(disk.error());
    const auto unit = static_cast<std::int64_t>(disk->f_frsize);
    return Space{.used = *used,
                 .available = static_cast<std::int64_t>(disk->f_bavail) * unit,
                 .total = static_cast<std::int64_t>(disk->f_blocks) * unit};
  });
}

Task<Result<std::int64_t>> ArtifactStore::available() {
  co_return co_await files_.run([this]() -> Result<std::int64_t> {
    const auto disk = examine_disk(root_);
    if (!disk) return fail(disk.error());
    return static_cast<std::int64_t>(disk->f_bavail) * static_cast<std::int64_t>(disk->f_frsize);
  });
}

}  // namespace trawl::storage
