#include "downloads/single_flight.h"

#include <filesystem>

#include "base/sha256.h"
#include "downloads/naming.h"
#include "jobs/job_row.h"

namespace trawl::downloads {
namespace {

// As much of the plan as names need; the plan itself ends with its job.
media::Plan plan_of(const json::object& result, const json::object& playlist) {
  media::Plan plan;
  if (const auto* metadata = result.if_contains("metadata"); metadata && metadata->is_object())
    plan.info = metadata->get_object();
  for (const auto& [name, value] : playlist) plan.info[name] = value;
  const auto text = [&plan](std::string_view name) {
    const auto* value = plan.info.if_contains(name);
    const auto* known = value ? value->if_string() : nullptr;
    return known ? std::string(*known) : std::string();
  };
  plan.id = text("id");
  plan.title = text("title");
  plan.extractor = text("extractor");
  return plan;
}

}  // namespace

std::string fingerprint_of(const media::DownloadRequest& request, const json::object& target,
                           const std::string& tenant) {
  if (!request.single_flight) return "";
  media::DownloadOptions shaping = request;
  const media::DownloadOptions plain;
  shaping.path_template = plain.path_template;
  shaping.timeout_sec = plain.timeout_sec;
  shaping.webhook_url = plain.webhook_url;
  const json::value whole{{"url", request.url},
                          {"options", encode(shaping)},
                          {"target", target},
                          {"tenant", request.cookies_id ? tenant : ""}};
  return sha256_hex(json::serialize(whole)).substr(0, 32);
}

Result<std::optional<Precursor>> find_precursor(db::Transaction& transaction, const std::string& fingerprint,
                                                const JobId& self, SystemTime since) {
  const auto rows = transaction.query(
      "SELECT id, result FROM jobs WHERE fingerprint = $1 AND state = 'completed' AND completed_at >= $2"
      " AND id <> $3 ORDER BY completed_at DESC LIMIT 1",
      {fingerprint, jobs::to_millis(since), self.str()});
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  const auto id = JobId::parse(rows->front().text(0));
  const auto result = parse_json(rows->front().text(1));
  if (!id || !result || !result->is_object()) return fail(Errc::internal, "a completed job's row is damaged");
  auto artifacts = storage::select_artifacts(transaction, "job_id = $1", {id->str()});
  if (!artifacts) return fail(std::move(artifacts.error()));
  if (artifacts->empty()) return std::nullopt;
  json::object kept = result->get_object();
  kept.erase("network");  // What its own attempt moved.
  return Precursor{*id, std::move(kept), std::move(*artifacts)};
}

Result<std::vector<storage::Artifact>> artifacts_after(const Precursor& precursor, const JobId& job,
                                                       const media::DownloadOptions& options,
                                                       const json::object& playlist, const std::string& batch,
                                                       SystemTime now, std::optional<SystemTime> expires_at) {
  std::vector<media::Produced> produced;
  for (const storage::Artifact& artifact : precursor.artifacts)
    produced.push_back(
        {std::filesystem::path(artifact.location).filename().string(), artifact.kind, artifact.language});
  const auto named =
      name_files(options, plan_of(precursor.result, playlist), produced, now, random_hex(4), batch);
  if (!named) return fail(named.error());
  std::vector<storage::Artifact> out;
  for (const storage::Staged& staged : *named) {
    for (const storage::Artifact& artifact : precursor.artifacts) {
      if (std::filesystem::path(artifact.location).filename() != staged.name) continue;
      storage::Artifact own = artifact;
      own.id = ArtifactId::make(now);
      own.job = job;
      own.path = staged.path;
      own.created_at = now;
      own.expires_at = expires_at;
      out.push_back(std::move(own));
    }
  }
  return out;
}

Result<bool> hold_artifacts(db::Transaction& transaction, const Precursor& precursor) {
  const auto held =
      transaction.execute("UPDATE artifacts SET size = size WHERE job_id = $1", {precursor.job.str()});
  if (!held) return fail(held.error());
  return *held == std::ssize(precursor.artifacts);
}

}  // namespace trawl::downloads
