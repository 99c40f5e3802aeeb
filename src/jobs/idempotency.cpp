#include "jobs/idempotency.h"

namespace trawl::jobs {

namespace {

std::int64_t millis(SystemTime time) {
  return time.time_since_epoch().count();
}

}  // namespace

Idempotency::Ticket Idempotency::begin(const IdempotencyKey& key) {
  const auto [place, mine] = in_flight_.emplace(key.tenant, key.key);
  if (!mine) return nullptr;
  return {&*place, [this, name = *place](const void*) { in_flight_.erase(name); }};
}

Task<Result<std::optional<StoredAnswer>>> Idempotency::find(IdempotencyKey key) {
  using Found = std::optional<StoredAnswer>;
  co_return co_await database_.read([key = std::move(key)](db::Transaction& transaction) -> Result<Found> {
    const auto rows = transaction.query(
        "SELECT fingerprint, status, location, body FROM idempotency_keys"
        " WHERE tenant = $1 AND idem_key = $2 AND created_at > $3",
        {key.tenant, key.key, millis(transaction.now() - kKept)});
    if (!rows) return fail(rows.error());
    if (rows->empty()) return Found();
    const db::Row& row = rows->front();
    if (row.text(0) != key.fingerprint)
      return fail(Errc::invalid, "this Idempotency-Key was used for another request",
                  "idempotency_key_reused");
    return Found({static_cast<int>(row.integer(1)), row.text(2), row.text(3)});
  });
}

Result<void> Idempotency::record(db::Transaction& transaction, const IdempotencyKey& key,
                                 const StoredAnswer& answer) {
  const auto forgotten = transaction.execute(
      "DELETE FROM idempotency_keys WHERE tenant = $1 AND idem_key = $2 AND created_at <= $3",
      {key.tenant, key.key, millis(transaction.now() - kKept)});
  if (!forgotten) return fail(forgotten.error());
  const auto written = transaction.execute(
      "INSERT INTO idempotency_keys (tenant, idem_key, fingerprint, status, location, body, created_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (tenant, idem_key) DO NOTHING",
      {key.tenant, key.key, key.fingerprint, std::int64_t{answer.status}, answer.location, answer.body,
       millis(transaction.now())});
  if (!written) return fail(written.error());
  if (*written == 0)
    return fail(Errc::conflict, "a request with this Idempotency-Key was faster", "idempotency_raced");
  return {};
}

}  // namespace trawl::jobs
