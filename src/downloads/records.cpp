#include "downloads/records.h"

namespace trawl::downloads {
namespace {

constexpr std::int64_t kJobsAtOnce = 500, kBatchesAtOnce = 20;

Result<std::int64_t> forget_single_jobs(db::Transaction& transaction, std::int64_t limit) {
  return transaction.execute(
      "DELETE FROM jobs WHERE id IN (SELECT j.id FROM jobs j WHERE j.completed_at < $1 AND j.batch_id IS NULL"
      " AND NOT EXISTS (SELECT 1 FROM artifacts a WHERE a.job_id = j.id) ORDER BY j.completed_at LIMIT $2)",
      {limit, kJobsAtOnce});
}

Result<std::int64_t> forget_batches(db::Transaction& transaction, std::int64_t limit) {
  const auto batches = transaction.query(
      "SELECT b.id FROM batches b WHERE b.settled = 1 AND b.updated_at < $1"
      " AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.batch_id = b.id AND"
      "  (j.completed_at IS NULL OR j.completed_at >= $1"
      "   OR EXISTS (SELECT 1 FROM artifacts a WHERE a.job_id = j.id))) ORDER BY b.id LIMIT $2",
      {limit, kBatchesAtOnce});
  if (!batches) return fail(batches.error());
  std::int64_t forgotten = 0;
  for (const db::Row& row : *batches) {
    const auto jobs = transaction.execute("DELETE FROM jobs WHERE batch_id = $1", {row.text(0)});
    if (!jobs) return fail(jobs.error());
    const auto batch = transaction.execute("DELETE FROM batches WHERE id = $1", {row.text(0)});
    if (!batch) return fail(batch.error());
    forgotten += *jobs;
  }
  return forgotten;
}

}  // namespace

Task<Result<std::int64_t>> forget_records(db::Database& database, SystemTime limit) {
  co_return co_await database.write([limit = std::int64_t{limit.time_since_epoch().count()}](
                                        db::Transaction& transaction) -> Result<std::int64_t> {
    const auto single = forget_single_jobs(transaction, limit);
    if (!single) return fail(single.error());
    const auto together = forget_batches(transaction, limit);
    if (!together) return fail(together.error());
    return *single + *together;
  });
}

}  // namespace trawl::downloads
