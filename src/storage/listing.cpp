#include <fmt/format.h>

#include "storage/storage.h"

namespace trawl::storage {
namespace {

constexpr std::int64_t kRowsAtOnce = 500;

// LIKE without its own marks meaning anything; '!' is the escape in both databases.
std::string like_prefix(std::string_view text) {
  std::string out;
  for (const char c : text) {
    if (c == '%' || c == '_' || c == '!') out += '!';
    out += c;
  }
  return out + '%';
}

}  // namespace

Task<Result<ArtifactStore::Page>> ArtifactStore::list(Filter filter) {
  co_return co_await database_.read([filter](db::Transaction& transaction) -> Result<Page> {
    std::string condition = "path LIKE $1 ESCAPE '!'";
    std::vector<db::Value> values{like_prefix(filter.prefix)};
    if (filter.owner) {
      condition +=
          " AND COALESCE((SELECT tenant FROM jobs WHERE jobs.id = artifacts.job_id),"
          " (SELECT tenant FROM uploads WHERE uploads.id = artifacts.upload_id)) = $2";
      values.emplace_back(*filter.owner);
    }
    const auto counted = transaction.query(
        "SELECT CAST(COUNT(*) AS BIGINT), CAST(COALESCE(SUM(size), 0) AS BIGINT) FROM artifacts WHERE " +
            condition,
        values);
    if (!counted) return fail(counted.error());
    condition += fmt::format(" ORDER BY id DESC LIMIT ${} OFFSET ${}", values.size() + 1, values.size() + 2);
    values.emplace_back(filter.limit);
    values.emplace_back(filter.offset);
    auto found = select_artifacts(transaction, "id IN (SELECT id FROM artifacts WHERE " + condition + ")",
                                  std::move(values));
    if (!found) return fail(std::move(found.error()));
    return Page{.artifacts = {found->rbegin(), found->rend()},
                .total = counted->front().integer(0),
                .bytes = counted->front().integer(1)};
  });
}

Task<Result<std::map<Integrity, std::int64_t>>> ArtifactStore::damaged() {
  co_return co_await database_.read(
      [](db::Transaction& transaction) -> Result<std::map<Integrity, std::int64_t>> {
        const auto rows = transaction.query(
            "SELECT integrity, CAST(COUNT(*) AS BIGINT) FROM artifacts WHERE integrity <> 'sound' GROUP BY "
            "integrity");
        if (!rows) return fail(rows.error());
        std::map<Integrity, std::int64_t> out;
        for (const db::Row& row : *rows) {
          if (const auto integrity = parse_enum<Integrity>(row.text(0))) out[*integrity] = row.integer(1);
        }
        return out;
      });
}

Task<Result<std::string>> ArtifactStore::owner_of(Artifact artifact) {
  co_return co_await database_.read(
      [id = artifact.job.str()](db::Transaction& transaction) -> Result<std::string> {
        const auto rows = transaction.query(
            "SELECT tenant FROM jobs WHERE id = $1 UNION ALL SELECT tenant FROM uploads WHERE id = $1", {id});
        if (!rows) return fail(rows.error());
        if (rows->empty()) return fail(Errc::not_found, "whoever brought the file is not known any more");
        return rows->front().text(0);
      });
}

Task<Result<void>> ArtifactStore::remove(ArtifactId id) {
  auto unused =
      co_await database_.write([this, id](db::Transaction& transaction) -> Result<std::vector<std::string>> {
        auto locations = delete_artifacts(transaction, "id = $1", {id.str()});
        if (!locations) return locations;
        if (auto noted = blobs_->disown(transaction, *locations); !noted)
          return fail(std::move(noted.error()));
        return locations;
      });
  if (!unused) co_return fail(unused.error());
  co_await blobs_->remove(std::move(*unused));
  co_return Result<void>();
}

Task<Result<ArtifactStore::Removed>> ArtifactStore::remove_older(SystemTime than) {
  Removed removed;
  while (true) {
    std::int64_t rows = 0;
    const std::vector<db::Value> which{std::int64_t{than.time_since_epoch().count()}, kRowsAtOnce};
    auto unused =
        co_await database_.write([&](db::Transaction& transaction) -> Result<std::vector<std::string>> {
          const auto doomed = transaction.query(
              "SELECT size FROM artifacts WHERE created_at < $1 ORDER BY created_at, id LIMIT $2", which);
          if (!doomed) return fail(doomed.error());
          auto locations = delete_artifacts(
              transaction,
              "id IN (SELECT id FROM artifacts WHERE created_at < $1 ORDER BY created_at, id LIMIT $2)",
              which);
          if (!locations) return locations;
          if (auto noted = blobs_->disown(transaction, *locations); !noted)
            return fail(std::move(noted.error()));
          rows = std::ssize(*doomed);
          for (const db::Row& row : *doomed) removed.bytes += row.integer(0);
          return locations;
        });
    if (!unused) co_return fail(unused.error());
    removed.files += rows;
    co_await blobs_->remove(std::move(*unused));
    if (rows < kRowsAtOnce) co_return removed;
  }
}

}  // namespace trawl::storage
