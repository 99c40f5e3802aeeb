#pragma once

#include <optional>
#include <string>

#include "access/key.h"
#include "async/task.h"
#include "db/database.h"

namespace trawl::access {

// What one owner has used in a day or a month (UTC), and may.
struct Used {
  std::string period;  // "2026-01-31", "2026-01"
  std::int64_t jobs = 0, bytes = 0;
  std::optional<std::int64_t> jobs_limit, bytes_limit;
};
struct UsageReport {
  std::string owner;
  Used day, month;
};

[[nodiscard]] std::string day_of(SystemTime time);
[[nodiscard]] std::string month_of(SystemTime time);

// Which quota `report` has no room left in for one more download;
// Errc::rate_limited, reason "quota_exceeded". Bytes are known only when a
// download has ended, so the one that passes a quota still ends well.
[[nodiscard]] Result<void> check_quota(const UsageReport& report);

// Counts jobs and bytes by owner and holds them against the quotas of the
// owner's key.
class Quotas {
 public:
  explicit Quotas(db::Database& database) : database_(database) {}

  // Counts `jobs` more downloads of `owner`, in the transaction that creates them, and fails when a quota
  // has no room for them, which undoes both. What is nobody's in particular has no quota.
  [[nodiscard]] static Result<void> count_jobs(db::Transaction& transaction, const std::string& owner,
                                               std::int64_t jobs);
  // How many more downloads `owner` may create now; nothing when there is no limit.
  [[nodiscard]] static Result<std::optional<std::int64_t>> jobs_left(db::Transaction& transaction,
                                                                     const std::string& owner);
  // Counts bytes that were stored, in the transaction that completes the download; also what is nobody's.
  [[nodiscard]] static Result<void> count_bytes(db::Transaction& transaction, const std::string& owner,
                                                std::int64_t bytes);

  [[nodiscard]] Task<Result<UsageReport>> report(std::string owner);

 private:
  db::Database& database_;
};

}  // namespace trawl::access
