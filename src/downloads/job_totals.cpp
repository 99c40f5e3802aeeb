#include "downloads/job_totals.h"

namespace trawl::downloads {

Task<Result<JobTotals>> job_totals(db::Database& database, SystemTime now) {
  using std::chrono::hours;
  co_return co_await database.read([day = (now - hours(24)).time_since_epoch().count(),
                                    week = (now - hours(7 * 24)).time_since_epoch().count()](
                                       db::Transaction& transaction) -> Result<JobTotals> {
    const auto counts = transaction.query(
        "SELECT CAST(COUNT(*) AS BIGINT),"
        " CAST(COALESCE(SUM(CASE WHEN state = 'completed' THEN 1 ELSE 0 END), 0) AS BIGINT),"
        " CAST(COALESCE(SUM(CASE WHEN state IN ('failed', 'dead') THEN 1 ELSE 0 END), 0) AS BIGINT),"
        " CAST(COALESCE(SUM(CASE WHEN created_at >= $1 THEN 1 ELSE 0 END), 0) AS BIGINT),"
        " CAST(COALESCE(SUM(CASE WHEN created_at >= $2 THEN 1 ELSE 0 END), 0) AS BIGINT),"
        " CAST(COALESCE(AVG(CASE WHEN state = 'completed' THEN completed_at - started_at END), 0) AS BIGINT)"
        " FROM jobs",
        {day, week});
    if (!counts) return fail(counts.error());
    const db::Row& row = counts->front();
    JobTotals totals{.total = row.integer(0),
                     .completed = row.integer(1),
                     .failed = row.integer(2),
                     .last_day = row.integer(3),
                     .last_week = row.integer(4),
                     .average_seconds = static_cast<double>(row.integer(5)) / 1000,
                     .top_owners = {}};
    // Each byte is counted in its day and in its month.
    const auto bytes = transaction.query(
        "SELECT CAST(COALESCE(SUM(bytes), 0) AS BIGINT) FROM usage WHERE LENGTH(period) = 7", {});
    if (!bytes) return fail(bytes.error());
    totals.bytes = bytes->front().integer(0);
    const auto owners = transaction.query(
        "SELECT tenant, COUNT(*) AS jobs FROM jobs GROUP BY tenant ORDER BY jobs DESC, tenant LIMIT 10");
    if (!owners) return fail(owners.error());
    for (const db::Row& one : *owners) totals.top_owners.emplace_back(one.text(0), one.integer(1));
    return totals;
  });
}

}  // namespace trawl::downloads
