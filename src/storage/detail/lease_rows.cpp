#include "storage/detail/lease_rows.h"

#include <algorithm>
#include <iterator>
#include <set>

#include <fmt/format.h>

namespace trawl::storage::detail {
namespace {

// A job's state and epoch (jobs/state.h), or no row. A file that is arriving is as good as a job that runs.
Result<std::vector<db::Row>> job_row(db::Transaction& transaction, const JobId& job) {
  return transaction.query(
      "SELECT state, epoch FROM jobs WHERE id = $1"
      " UNION ALL SELECT 'running', 1 FROM uploads WHERE id = $1 AND lease_until > $2",
      {job.str(), std::int64_t{transaction.now().time_since_epoch().count()}});
}

bool holds(const std::vector<db::Row>& job, std::int64_t epoch) {
  if (job.empty() || job.front().integer(1) != epoch) return false;
  const std::string& state = job.front().text(0);
  return state == "running" || state == "cancelling";
}

bool over(const std::vector<db::Row>& job) {
  if (job.empty()) return true;
  constexpr std::string_view kTerminal[] = {"completed", "failed", "dead", "cancelled", "expired"};
  return std::ranges::find(kTerminal, job.front().text(0)) != std::end(kTerminal);
}

}  // namespace

Result<bool> lease_holds(db::Transaction& transaction, const LeaseName& lease) {
  const auto job = job_row(transaction, lease.job);
  if (!job) return fail(job.error());
  return holds(*job, lease.epoch);
}

Result<std::vector<LeaseName>> leases_over(db::Transaction& transaction,
                                           const std::vector<LeaseName>& leases) {
  std::vector<LeaseName> out;
  for (const LeaseName& lease : leases) {
    const auto job = job_row(transaction, lease.job);
    if (!job) return fail(job.error());
    if (over(*job)) out.push_back(lease);
  }
  return out;
}

Result<std::vector<std::string>> referenced(db::Transaction& transaction,
                                            const std::vector<std::string>& locations) {
  if (locations.empty()) return std::vector<std::string>();
  std::vector<db::Value> values;
  std::string list;
  for (const std::string& location : locations) {
    values.emplace_back(location);
    list += fmt::format("{}${}", list.empty() ? "" : ", ", values.size());
  }
  const auto rows = transaction.query(
      fmt::format("SELECT location FROM artifacts WHERE location IN ({})", list), std::move(values));
  if (!rows) return fail(rows.error());
  return locations_of(*rows);
}

Result<std::vector<LeaseContent>> unreferenced(db::Transaction& transaction,
                                               const std::vector<LeaseContent>& found) {
  std::vector<LeaseContent> out;
  for (const LeaseContent& content : found) {
    const auto held = lease_holds(transaction, content.lease);
    if (!held) return fail(held.error());
    if (*held) continue;
    const auto locations = referenced(transaction, content.locations);
    if (!locations) return fail(locations.error());
    LeaseContent doomed = content;
    const std::set<std::string_view> kept(locations->begin(), locations->end());
    std::erase_if(doomed.locations, [&](const std::string& location) { return kept.contains(location); });
    out.push_back(std::move(doomed));
  }
  return out;
}

}  // namespace trawl::storage::detail
