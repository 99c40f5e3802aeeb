#include "storage/detail/upload_ledger.h"

#include <algorithm>

#include <fmt/format.h>

#include "storage/detail/lease_rows.h"

namespace trawl::storage::detail {
namespace {

std::int64_t millis(SystemTime time) {
  return time.time_since_epoch().count();
}

Result<void> write(db::Transaction& transaction, const std::string& location, const std::string& job,
                   std::int64_t epoch, SystemTime now) {
  const auto written = transaction.execute(
      "INSERT INTO object_writes (location, job_id, epoch, upload_id, noted_at) VALUES ($1, $2, $3, '', $4)"
      " ON CONFLICT (location) DO UPDATE SET job_id = excluded.job_id, epoch = excluded.epoch,"
      " noted_at = excluded.noted_at",
      {location, job, epoch, millis(now)});
  if (!written) return fail(written.error());
  return {};
}

}  // namespace

Result<void> note_write(db::Transaction& transaction, const std::string& location, const LeaseName& lease,
                        SystemTime now) {
  return write(transaction, location, lease.job.str(), lease.epoch, now);
}

Result<void> note_unused(db::Transaction& transaction, const std::string& location, SystemTime now) {
  return write(transaction, location, "", 0, now);
}

Result<void> name_upload(db::Transaction& transaction, const std::string& location,
                         const std::string& upload) {
  const auto named =
      transaction.execute("UPDATE object_writes SET upload_id = $2 WHERE location = $1", {location, upload});
  if (!named) return fail(named.error());
  if (*named == 0)
    return fail(Errc::conflict, "the file has been given up while it was stored", "lease_lost");
  return {};
}

Result<void> forget_write(db::Transaction& transaction, const std::string& location) {
  const auto gone = transaction.execute("DELETE FROM object_writes WHERE location = $1", {location});
  if (!gone) return fail(gone.error());
  return {};
}

Result<std::vector<Written>> written_after(db::Transaction& transaction, const std::string& after,
                                           std::int64_t limit) {
  const auto rows = transaction.query(
      "SELECT location, job_id, epoch, noted_at FROM object_writes WHERE location > $1"
      " ORDER BY location LIMIT $2",
      {after, limit});
  if (!rows) return fail(rows.error());
  std::vector<Written> out;
  for (const db::Row& row : *rows) {
    Written written{.location = row.text(0),
                    .noted_at = SystemTime(Millis(row.integer(3))),
                    .given_up = row.text(1).empty()};
    const auto artifact = referenced(transaction, {written.location});
    if (!artifact) return fail(artifact.error());
    const auto job = JobId::parse(row.text(1));
    const auto held = job ? lease_holds(transaction, {*job, row.integer(2)}) : Result<bool>(false);
    if (!held) return fail(held.error());
    written.fate = !artifact->empty() ? Fate::forget : *held ? Fate::wait : Fate::remove;
    out.push_back(std::move(written));
  }
  return out;
}

Task<Result<void>> UploadLedger::note(LeaseName lease, std::vector<std::string> locations) {
  co_return co_await database_.write([&, now = clock_.now()](db::Transaction& transaction) -> Result<void> {
    for (const std::string& location : locations) {
      if (auto noted = note_write(transaction, location, lease, now); !noted) return noted;
    }
    return {};
  });
}

Task<Result<void>> UploadLedger::name(std::string location, std::string upload) {
  co_return co_await database_.write(
      [&](db::Transaction& transaction) { return name_upload(transaction, location, upload); });
}

Task<Result<void>> UploadLedger::give_up(std::string location) {
  co_return co_await database_.write([&, now = clock_.now()](db::Transaction& transaction) {
    return note_unused(transaction, location, now);
  });
}

Task<Result<void>> UploadLedger::forget(std::string location) {
  co_return co_await database_.write(
      [&](db::Transaction& transaction) { return forget_write(transaction, location); });
}

Task<Result<std::vector<Written>>> UploadLedger::written(std::string after, std::int64_t limit) {
  co_return co_await database_.read(
      [&](db::Transaction& transaction) { return written_after(transaction, after, limit); });
}

}  // namespace trawl::storage::detail
