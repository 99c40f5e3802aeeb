#include "storage/artifact.h"

#include <fmt/format.h>

namespace trawl::storage {
namespace {

// The id of the job, or of the upload that stands for one.
constexpr std::string_view kColumns =
    "id, COALESCE(job_id, upload_id), kind, path, location, mime_type, language, size, sha256, created_at, "
    "expires_at, checked_at, integrity";

std::int64_t millis(SystemTime time) {
  return time.time_since_epoch().count();
}

SystemTime time_of(std::int64_t millis) {
  return SystemTime(Millis(millis));
}

Result<Artifact> artifact_of(const db::Row& row) {
  const auto id = ArtifactId::parse(row.text(0));
  const auto job = JobId::parse(row.text(1));
  const auto kind = parse_enum<media::Kind>(row.text(2));
  const auto integrity = parse_enum<Integrity>(row.text(12));
  if (!id || !job || !kind || !integrity)
    return fail(Errc::internal, fmt::format("the artifact row {} is damaged", row.text(0)));
  Artifact out{.id = *id,
               .job = *job,
               .kind = *kind,
               .path = row.text(3),
               .location = row.text(4),
               .mime_type = row.text(5),
               .language = row.text(6),
               .size = row.integer(7),
               .sha256 = row.text(8),
               .created_at = time_of(row.integer(9)),
               .expires_at = std::nullopt,
               .checked_at = time_of(row.integer(11)),
               .integrity = *integrity};
  if (const auto expires = row.maybe_integer(10)) out.expires_at = time_of(*expires);
  return out;
}

}  // namespace

Result<std::vector<Artifact>> select_artifacts(db::Transaction& transaction, std::string_view condition,
                                               std::vector<db::Value> parameters) {
  const auto rows =
      transaction.query(fmt::format("SELECT {} FROM artifacts WHERE {} ORDER BY id", kColumns, condition),
                        std::move(parameters));
  if (!rows) return fail(rows.error());
  std::vector<Artifact> out;
  for (const db::Row& row : *rows) {
    auto artifact = artifact_of(row);
    if (!artifact) return fail(std::move(artifact.error()));
    out.push_back(std::move(*artifact));
  }
  return out;
}

Result<std::vector<std::string>> delete_artifacts(db::Transaction& transaction, std::string_view condition,
                                                  std::vector<db::Value> parameters) {
  const auto rows = transaction.query(
      fmt::format("DELETE FROM artifacts WHERE {} RETURNING location", condition), std::move(parameters));
  if (!rows) return fail(rows.error());
  std::vector<std::string> out;
  for (const db::Row& row : *rows) {
    const auto others =
        transaction.query("SELECT 1 FROM artifacts WHERE location = $1 LIMIT 1", {row.text(0)});
    if (!others) return fail(others.error());
    if (others->empty()) out.push_back(row.text(0));
  }
  return out;
}

Result<std::int64_t> stored_bytes(db::Transaction& transaction) {
  const auto rows = transaction.query(
      "SELECT CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM"
      " (SELECT MAX(size) AS size FROM artifacts GROUP BY location) AS stored");
  if (!rows) return fail(rows.error());
  return rows->front().integer(0);
}

Result<bool> insert_artifact(db::Transaction& transaction, const Artifact& artifact) {
  const auto expires = artifact.expires_at ? std::optional(millis(*artifact.expires_at)) : std::nullopt;
  const auto inserted = transaction.execute(
      "INSERT INTO artifacts (id, job_id, upload_id, kind, path, location, mime_type, language, size, sha256,"
      " created_at, expires_at, checked_at, integrity) VALUES ($1, (SELECT id FROM jobs WHERE id = $2),"
      " (SELECT id FROM uploads WHERE id = $2), $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)"
      " ON CONFLICT (path) DO NOTHING",
      {artifact.id.str(), artifact.job.str(), std::string(to_text(artifact.kind)), artifact.path,
       artifact.location, artifact.mime_type, artifact.language, artifact.size, artifact.sha256,
       millis(artifact.created_at), db::null_or(expires), millis(artifact.checked_at),
       std::string(to_text(artifact.integrity))});
  if (!inserted) return fail(inserted.error());
  return *inserted == 1;
}

}  // namespace trawl::storage
