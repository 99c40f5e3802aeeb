#include "downloads/adoption.h"

#include "downloads/archive.h"
#include "downloads/single_flight.h"
#include "storage/storage.h"

namespace trawl::downloads {
namespace {

// What the transaction that completes the job does.
struct TakeOver {
  Precursor precursor;
  std::vector<storage::Artifact> artifacts;
  std::string tenant;
  std::vector<std::string> keys;
  std::string options;
  JobId job;
  SystemTime now;

  Result<json::object> operator()(db::Transaction& transaction) {
    const auto held = hold_artifacts(transaction, precursor);
    if (!held) return fail(held.error());
    if (!*held) {
      return fail(Errc::unavailable, "the files of the identical download have gone meanwhile", "files_gone");
    }
    if (auto recorded = storage::ArtifactStore::record(transaction, artifacts); !recorded)
      return fail(recorded.error());
    if (auto archived = record_in_archive(transaction, tenant, keys, options, job, now); !archived)
      return fail(archived.error());
    return precursor.result;
  }
};

}  // namespace

Task<Result<std::optional<jobs::JobStore::Also>>> adopt(db::Database& database, jobs::Run& run,
                                                        const media::DownloadRequest& request,
                                                        const std::optional<Membership>& member,
                                                        SystemTime now,
                                                        std::optional<SystemTime> expires_at) {
  using Adopted = std::optional<jobs::JobStore::Also>;
  const jobs::Job& job = run.job();
  if (job.fingerprint.empty() || job.replays > 0) co_return Adopted();
  auto precursor = co_await database.read([&job](db::Transaction& transaction) {
    return find_precursor(transaction, job.fingerprint, job.id, job.created_at);
  });
  if (!precursor) co_return fail(precursor.error());
  if (!*precursor) co_return Adopted();
  auto artifacts = artifacts_after(**precursor, job.id, request, member ? member->playlist : json::object(),
                                   member ? member->batch : "", now, expires_at);
  if (!artifacts) co_return fail(artifacts.error());
  run.log(LogLevel::info, "taken over from the identical download " + (*precursor)->job.str());
  co_return Adopted(TakeOver{.precursor = std::move(**precursor),
                             .artifacts = std::move(*artifacts),
                             .tenant = job.tenant,
                             .keys = {member ? member->key : entry_key("", "", request.url, {})},
                             .options = options_digest(request),
                             .job = job.id,
                             .now = now});
}

}  // namespace trawl::downloads
