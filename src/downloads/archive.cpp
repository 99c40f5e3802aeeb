#include "downloads/archive.h"

#include "base/json.h"
#include "base/sha256.h"

namespace trawl::downloads {

std::string options_digest(const media::DownloadOptions& options) {
  media::DownloadOptions shaping = options;
  const media::DownloadOptions plain;
  shaping.path_template = plain.path_template;
  shaping.cookies_id = plain.cookies_id;
  shaping.timeout_sec = plain.timeout_sec;
  shaping.webhook_url = plain.webhook_url;
  shaping.single_flight = plain.single_flight;
  return sha256_hex(json::serialize(encode(shaping))).substr(0, 32);
}

Result<void> record_in_archive(db::Transaction& transaction, const std::string& tenant,
                               const std::vector<std::string>& keys, const std::string& options,
                               const JobId& job, SystemTime now) {
  for (const std::string& key : keys) {
    const auto recorded = transaction.execute(
        "INSERT INTO archive (tenant, entry, options, job_id, archived_at) VALUES ($1, $2, $3, $4, $5)"
        " ON CONFLICT (tenant, entry, options) DO NOTHING",
        {tenant, key, options, job.str(), std::int64_t{now.time_since_epoch().count()}});
    if (!recorded) return fail(recorded.error());
  }
  return {};
}

Result<bool> is_archived(db::Transaction& transaction, const std::string& tenant, const std::string& key,
                         const std::string& options) {
  const auto rows = transaction.query(
      "SELECT 1 FROM archive WHERE tenant = $1 AND entry = $2 AND options = $3", {tenant, key, options});
  if (!rows) return fail(rows.error());
  return !rows->empty();
}

}  // namespace trawl::downloads
