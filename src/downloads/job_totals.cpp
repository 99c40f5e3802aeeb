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
        " CAST(COALESCE(SUM(CASE WHEN created_at >= $2 THEN 1 ELSE 0 END), 0) AS BIGINT) FROM jobs",
        {day, week});
    if (!counts) return fail(counts.error());
    const db::Row& row = counts->front();
    JobTotals totals{.total = row.integer(0),
                     .completed = row.integer(1),
                     .failed = row.integer(2),
                     .last_day = row.integer(3),
                     .last_week = row.integer(4),
                     .top_owners = {}};
    const auto owners = transaction.query(
        "SELECT tenant, COUNT(*) AS jobs FROM jobs GROUP BY tenant ORDER BY jobs DESC, tenant LIMIT 10");
    if (!owners) return fail(owners.error());
    for (const db::Row& one : *owners) totals.top_owners.emplace_back(one.text(0), one.integer(1));
    return totals;
  });
}

}  // namespace trawl::downloads
