#include <algorithm>
#include <iterator>
#include <set>
#include <span>

#include <fmt/format.h>

#include "storage/detail/content.h"
#include "storage/detail/lease_folder.h"
#include "storage/storage.h"

namespace trawl::storage {
namespace {

using detail::LeaseContent;
using detail::LeaseName;

constexpr std::int64_t kRowsAtOnce = 500;
constexpr std::size_t kJobsAtOnce = 64;

// What an expiry deletes: how many rows, and the files nobody else refers to.
struct Expired {
  std::int64_t rows = 0;
  std::vector<std::string> unused;
};

Result<Expired> delete_expired_rows(db::Transaction& transaction, SystemTime now) {
  const std::vector<db::Value> which{std::int64_t{now.time_since_epoch().count()}, kRowsAtOnce};
  const auto rows = transaction.query(
      "SELECT id FROM artifacts WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2", which);
  if (!rows) return fail(rows.error());
  auto unused = delete_artifacts(
      transaction, "id IN (SELECT id FROM artifacts WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2)",
      which);
  if (!unused) return fail(std::move(unused.error()));
  return Expired{std::ssize(*rows), std::move(*unused)};
}

// A job's state and epoch (jobs/state.h), or no row.
Result<std::vector<db::Row>> job_row(db::Transaction& transaction, const JobId& job) {
  return transaction.query("SELECT state, epoch FROM jobs WHERE id = $1", {job.str()});
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

// Which of `locations` are artifacts: by place, not by job, because what one job fetched may be another
// one's artifact as well.
Result<std::vector<db::Row>> referenced(db::Transaction& transaction,
                                        const std::vector<std::string>& locations) {
  if (locations.empty()) return std::vector<db::Row>();
  std::vector<db::Value> values;
  std::string list;
  for (const std::string& location : locations) {
    values.emplace_back(location);
    list += fmt::format("{}${}", list.empty() ? "" : ", ", values.size());
  }
  return transaction.query(fmt::format("SELECT location FROM artifacts WHERE location IN ({})", list),
                           values);
}

// What of `found`, listed before this read, nobody refers to. A lease that is over by now cannot
// record files any more, and one that has not begun had no folder when they were listed.
Result<std::vector<LeaseContent>> unreferenced(db::Transaction& transaction,
                                               const std::vector<LeaseContent>& found) {
  std::vector<LeaseContent> out;
  for (const LeaseContent& content : found) {
    const auto job = job_row(transaction, content.lease.job);
    if (!job) return fail(job.error());
    if (holds(*job, content.lease.epoch)) continue;
    const auto rows = referenced(transaction, content.locations);
    if (!rows) return fail(rows.error());
    const auto locations = detail::locations_of(*rows);
    LeaseContent doomed = content;
    const std::set<std::string_view> kept(locations.begin(), locations.end());
    std::erase_if(doomed.locations, [&](const std::string& location) { return kept.contains(location); });
    out.push_back(std::move(doomed));
  }
  return out;
}

Result<std::vector<LeaseContent>> list_content(const std::filesystem::path& root,
                                               std::span<const JobId> jobs) {
  std::vector<LeaseContent> out;
  for (const JobId& job : jobs) {
    auto content = detail::list_content(root, job);
    if (!content) return fail(std::move(content.error()));
    std::ranges::move(*content, std::back_inserter(out));
  }
  return out;
}

std::size_t remove_all(const std::filesystem::path& root, const std::vector<LeaseContent>& doomed) {
  std::size_t removed = 0;
  for (const LeaseContent& content : doomed) {
    removed += detail::remove_content(root, content.locations);
    detail::remove_empty_folders(root / detail::content_folder(content.lease));
  }
  return removed;
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

}  // namespace

Task<Result<std::size_t>> DirectoryStorage::sweep() {
  const auto expired = co_await sweep_expired();
  if (!expired) co_return fail(expired.error());
  const auto content = co_await sweep_content();
  if (!content) co_return fail(content.error());
  const auto staging = co_await sweep_staging();
  if (!staging) co_return fail(staging.error());
  co_return *expired + *content + *staging;
}

// Rows first: a file without a row is only waste, a row without a file would be a lie.
Task<Result<std::size_t>> DirectoryStorage::sweep_expired() {
  std::size_t removed = 0;
  while (true) {
    const auto expired = co_await database_.write(
        [now = clock_.now()](db::Transaction& transaction) { return delete_expired_rows(transaction, now); });
    if (!expired) co_return fail(expired.error());
    removed +=
        co_await files_.run([this, &expired] { return detail::remove_content(root_, expired->unused); });
    if (expired->rows < kRowsAtOnce) co_return removed;
  }
}

Task<Result<std::size_t>> DirectoryStorage::sweep_content() {
  const auto jobs = co_await files_.run([this] { return detail::list_content_jobs(root_); });
  if (!jobs) co_return fail(jobs.error());
  std::size_t removed = 0;
  for (std::size_t first = 0; first < jobs->size(); first += kJobsAtOnce) {
    const auto part = std::span(*jobs).subspan(first, std::min(kJobsAtOnce, jobs->size() - first));
    const auto found = co_await files_.run([this, part] { return list_content(root_, part); });
    if (!found) co_return fail(found.error());
    const auto doomed = co_await database_.read(
        [&found](db::Transaction& transaction) { return unreferenced(transaction, *found); });
    if (!doomed) co_return fail(doomed.error());
    removed += co_await files_.run([this, &doomed] { return remove_all(root_, *doomed); });
  }
  co_return removed;
}

Task<Result<std::size_t>> DirectoryStorage::sweep_staging() {
  const auto leases = co_await files_.run([this] { return detail::list_staging(root_); });
  if (!leases) co_return fail(leases.error());
  const auto doomed = co_await database_.read(
      [&leases](db::Transaction& transaction) { return leases_over(transaction, *leases); });
  if (!doomed) co_return fail(doomed.error());
  co_return co_await files_.run([this, &doomed]() -> Result<std::size_t> {
    std::size_t removed = 0;
    for (const LeaseName& lease : *doomed)
      removed += detail::remove_tree(detail::staging_folder(root_, lease)) ? 1 : 0;
    return removed;
  });
}

}  // namespace trawl::storage
