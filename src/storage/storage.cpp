#include "storage/storage.h"

#include <cerrno>
#include <cstdio>
#include <fcntl.h>
#include <set>
#include <sys/statvfs.h>
#include <system_error>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "base/text.h"
#include "storage/detail/content.h"
#include "storage/detail/folder.h"
#include "storage/detail/lease_folder.h"
#include "storage/detail/publish.h"
#include "storage/path.h"

namespace trawl::storage {
namespace {

using detail::LeaseName;

constexpr int kMaxCollisions = 10'000;

// Writes a file as publish() would, so that a read-only, full or split tree is noticed at the start.
Result<void> check_writable(const std::filesystem::path& root) {
  const std::filesystem::path staged = root / "staging" / ".write-check";
  const std::filesystem::path published = root / "content" / ".write-check";
  const detail::Descriptor file(
      ::open(staged.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600));
  if (file.get() < 0) return detail::io_failure("create", staged, errno);
  if (::write(file.get(), "ok", 2) != 2 || ::fsync(file.get()) != 0)
    return detail::io_failure("write", staged, errno);
  if (std::rename(staged.c_str(), published.c_str()) != 0) {
    if (errno != EXDEV) return detail::io_failure("publish", staged, errno);
    return fail(
        Errc::unavailable,
        fmt::format("{0}/staging and {0}/content lie on different file systems; files are published by "
                    "renaming, so both must be on one",
                    root.string()));
  }
  if (::unlink(published.c_str()) != 0) return detail::io_failure("remove", published, errno);
  return {};
}

Result<void> create_tree(const std::filesystem::path& root) {
  std::error_code error;
  std::filesystem::create_directories(root, error);
  if (error) return detail::io_failure("create the storage folder", root, error.value());
  if (auto made = detail::make_folder(root / "staging", 0700); !made) return made;
  if (auto made = detail::make_folder(root / "content", 0755); !made) return made;
  if (auto synced = detail::sync_folder(root); !synced) return synced;
  return check_writable(root);
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

std::vector<detail::FileToPublish> to_publish(const std::vector<Staged>& files) {
  std::vector<detail::FileToPublish> out;
  for (const Staged& file : files) out.push_back({file.name, file.digest});
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

DirectoryStorage::DirectoryStorage(std::filesystem::path root, BlockingPool& files, db::Database& database,
                                   const Clock& clock, Nodes nodes)
    : root_(std::filesystem::absolute(std::move(root))),
      files_(files),
      database_(database),
      clock_(clock),
      nodes_(nodes) {}

Task<Result<void>> DirectoryStorage::open() {
  co_return co_await files_.run([this] { return create_tree(root_); });
}

Task<Result<std::filesystem::path>> DirectoryStorage::stage(JobId job, std::int64_t epoch) {
  const std::filesystem::path folder = detail::staging_folder(root_, {job, epoch});
  const auto made = co_await files_.run([&folder] { return detail::make_folder(folder, 0700); });
  if (!made) co_return fail(made.error());
  co_return folder;
}

Task<Result<std::filesystem::path>> DirectoryStorage::restage(JobId job, std::int64_t epoch) {
  const LeaseName lease{job, epoch};
  const auto how = nodes_ == Nodes::one ? detail::TakeOver::move : detail::TakeOver::copy;
  const auto taken =
      co_await files_.run([this, &lease, how] { return detail::take_over_staging(root_, lease, how); });
  if (!taken) co_return fail(taken.error());
  co_return detail::staging_folder(root_, lease);
}

Task<void> DirectoryStorage::discard_stage(JobId job, std::int64_t newest) {
  co_await files_.run([this, job, newest] {
    const auto known = detail::list_staging(root_);
    if (!known) return log_warn("cannot look for work folders", {{"error", known.error().message}});
    for (const LeaseName& lease : *known) {
      if (lease.job == job && lease.epoch <= newest)
        detail::remove_tree(detail::staging_folder(root_, lease));
    }
  });
}

Task<Result<std::vector<Artifact>>> DirectoryStorage::publish(JobId job, std::int64_t epoch,
                                                              std::vector<Staged> files,
                                                              std::optional<SystemTime> expires_at) {
  if (const auto fine = check_staged(files); !fine) co_return fail(fine.error());
  const LeaseName lease{job, epoch};
  const auto sources = to_publish(files);
  const auto published =
      co_await files_.run([this, &lease, &sources] { return detail::publish_files(root_, lease, sources); });
  if (!published) co_return fail(published.error());

  std::vector<Artifact> artifacts;
  for (std::size_t i = 0; i < files.size(); ++i) {
    Staged& file = files[i];
    artifacts.push_back({.id = ArtifactId::make(clock_.now()),
                         .job = job,
                         .kind = file.kind,
                         .path = std::move(file.path),
                         .location = (detail::content_folder(lease) / file.name).string(),
                         .mime_type = std::move(file.mime_type),
                         .language = std::move(file.language),
                         .size = (*published)[i].size,
                         .sha256 = (*published)[i].sha256,
                         .created_at = clock_.now(),
                         .expires_at = expires_at});
  }
  co_return artifacts;
}

Result<void> DirectoryStorage::record(db::Transaction& transaction, std::vector<Artifact>& artifacts) {
  for (Artifact& artifact : artifacts) {
    if (auto recorded = record_one(transaction, artifact); !recorded) return recorded;
  }
  return {};
}

Task<Result<std::vector<Artifact>>> DirectoryStorage::of_job(JobId job) {
  co_return co_await database_.read([job](db::Transaction& transaction) {
    return select_artifacts(transaction, "job_id = $1", {job.str()});
  });
}

Task<Result<Artifact>> DirectoryStorage::by_path(std::string path) {
  auto found = co_await database_.read(
      [path](db::Transaction& transaction) { return select_artifacts(transaction, "path = $1", {path}); });
  if (!found) co_return fail(std::move(found.error()));
  if (found->empty())
    co_return fail(Errc::not_found, fmt::format("there is no file '{}'", to_valid_utf8(path)));
  co_return std::move(found->front());
}

std::filesystem::path DirectoryStorage::file_of(const Artifact& artifact) const {
  return root_ / artifact.location;
}

Task<Result<void>> DirectoryStorage::set_expiry(JobId job, std::optional<SystemTime> expires_at) {
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

Task<Result<void>> DirectoryStorage::remove_of_job(JobId job) {
  const auto unused = co_await database_.write([job](db::Transaction& transaction) {
    return delete_artifacts(transaction, "job_id = $1", {job.str()});
  });
  if (!unused) co_return fail(unused.error());
  co_await files_.run([this, &unused] { detail::remove_content(root_, *unused); });
  co_return Result<void>();
}

Task<Result<DirectoryStorage::Space>> DirectoryStorage::space() {
  const auto used = co_await database_.read([](db::Transaction& transaction) -> Result<std::int64_t> {
    const auto rows = transaction.query(
        "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM"
        " (SELECT MAX(size) AS size FROM artifacts GROUP BY location) AS stored");
    if (!rows) return fail(rows.error());
    return rows->front().integer(0);
  });
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

Task<Result<std::int64_t>> DirectoryStorage::available() {
  co_return co_await files_.run([this]() -> Result<std::int64_t> {
    const auto disk = examine_disk(root_);
    if (!disk) return fail(disk.error());
    return static_cast<std::int64_t>(disk->f_bavail) * static_cast<std::int64_t>(disk->f_frsize);
  });
}

}  // namespace trawl::storage
