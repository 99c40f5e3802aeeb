#include <algorithm>
#include <iterator>

#include "storage/detail/lease_folder.h"
#include "storage/detail/lease_rows.h"
#include "storage/storage.h"

namespace trawl::storage {
namespace {

constexpr std::int64_t kRowsAtOnce = 500;

// What an expiry deletes: how many rows, and the files nobody else refers to.
struct Expired {
  std::int64_t rows = 0;
  std::vector<std::string> unused;
};

Result<Expired> delete_expired_rows(db::Transaction& transaction, Blobs& blobs, SystemTime now) {
  const std::vector<db::Value> which{std::int64_t{now.time_since_epoch().count()}, kRowsAtOnce};
  const auto rows = transaction.query(
      "SELECT id FROM artifacts WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2", which);
  if (!rows) return fail(rows.error());
  auto unused = delete_artifacts(
      transaction, "id IN (SELECT id FROM artifacts WHERE expires_at <= $1 ORDER BY expires_at, id LIMIT $2)",
      which);
  if (!unused) return fail(std::move(unused.error()));
  if (auto noted = blobs.disown(transaction, *unused); !noted) return fail(std::move(noted.error()));
  return Expired{std::ssize(*rows), std::move(*unused)};
}

// Deletes the oldest rows until what is left fits into `quota`. Some at a time: `rows` says how many went.
Result<Expired> delete_over_quota(db::Transaction& transaction, Blobs& blobs, std::int64_t quota) {
  auto used = stored_bytes(transaction);
  if (!used) return fail(std::move(used.error()));
  Expired out;
  while (*used > quota && out.rows < kRowsAtOnce) {
    const auto oldest = transaction.query("SELECT id, size FROM artifacts ORDER BY created_at, id LIMIT 1");
    if (!oldest) return fail(oldest.error());
    if (oldest->empty()) break;
    auto unused = delete_artifacts(transaction, "id = $1", {oldest->front().text(0)});
    if (!unused) return fail(std::move(unused.error()));
    if (!unused->empty()) *used -= oldest->front().integer(1);
    ++out.rows;
    std::ranges::move(*unused, std::back_inserter(out.unused));
  }
  if (auto noted = blobs.disown(transaction, out.unused); !noted) return fail(std::move(noted.error()));
  return out;
}

}  // namespace

Task<Result<std::size_t>> ArtifactStore::sweep() {
  const auto expired = co_await sweep_expired();
  if (!expired) co_return fail(expired.error());
  const auto over = co_await sweep_quota();
  if (!over) co_return fail(over.error());
  const auto content = co_await blobs_->sweep();
  if (!content) co_return fail(content.error());
  const auto staging = co_await sweep_staging();
  if (!staging) co_return fail(staging.error());
  co_return *expired + *over + *content + *staging;
}

// Rows first: a file without a row is only waste, a row without a file would be a lie.
Task<Result<std::size_t>> ArtifactStore::sweep_expired() {
  std::size_t removed = 0;
  while (true) {
    auto expired = co_await database_.write([this, now = clock_.now()](db::Transaction& transaction) {
      return delete_expired_rows(transaction, *blobs_, now);
    });
    if (!expired) co_return fail(expired.error());
    removed += co_await blobs_->remove(std::move(expired->unused));
    if (expired->rows < kRowsAtOnce) break;
  }
  // Uploads of which nothing is left.
  const auto forgotten = co_await database_.write([](db::Transaction& transaction) {
    return transaction.execute(
        "DELETE FROM uploads WHERE lease_until < $1"
        " AND NOT EXISTS (SELECT 1 FROM artifacts WHERE artifacts.upload_id = uploads.id)",
        {std::int64_t{transaction.now().time_since_epoch().count()}});
  });
  if (!forgotten) co_return fail(forgotten.error());
  co_return removed;
}

Task<Result<std::size_t>> ArtifactStore::sweep_quota() {
  std::size_t removed = 0;
  while (quota_ > 0) {
    auto over = co_await database_.write(
        [this](db::Transaction& transaction) { return delete_over_quota(transaction, *blobs_, quota_); });
    if (!over) co_return fail(over.error());
    removed += co_await blobs_->remove(std::move(over->unused));
    if (over->rows < kRowsAtOnce) break;
  }
  co_return removed;
}

Task<Result<std::size_t>> ArtifactStore::sweep_staging() {
  const auto leases = co_await files_.run([this] { return detail::list_staging(root_); });
  if (!leases) co_return fail(leases.error());
  const auto doomed = co_await database_.read(
      [&leases](db::Transaction& transaction) { return detail::leases_over(transaction, *leases); });
  if (!doomed) co_return fail(doomed.error());
  co_return co_await files_.run([this, &doomed]() -> Result<std::size_t> {
    std::size_t removed = 0;
    for (const LeaseName& lease : *doomed)
      removed += detail::remove_tree(detail::staging_folder(root_, lease)) ? 1 : 0;
    return removed;
  });
}

}  // namespace trawl::storage
