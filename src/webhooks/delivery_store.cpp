#include "webhooks/delivery_store.h"

#include <fmt/format.h>

namespace trawl::webhooks {
namespace {

constexpr std::string_view kColumns =
    "id, job_id, tenant, event, url, body, state, attempts, epoch, next_at, history, created_at, updated_at";
constexpr std::size_t kHistory = 20;

std::int64_t millis(SystemTime time) {
  return time.time_since_epoch().count();
}

Result<Delivery> read(const db::Row& row) {
  const auto id = DeliveryId::parse(row.text(0));
  const auto job = JobId::parse(row.text(1));
  const auto state = parse_enum<DeliveryState>(row.text(6));
  const auto document = parse_json(row.text(10));
  if (!id || !job || !state || !document)
    return fail(Errc::internal, fmt::format("the webhook delivery {} is damaged", row.text(0)));
  auto history = decode_own<std::vector<Attempt>>(*document, "history");
  if (!history) return fail(std::move(history.error()));
  return Delivery{.id = *id,
                  .job = *job,
                  .tenant = row.text(2),
                  .event = row.text(3),
                  .url = row.text(4),
                  .body = row.text(5),
                  .state = *state,
                  .attempts = static_cast<int>(row.integer(7)),
                  .epoch = row.integer(8),
                  .next_at = SystemTime(Millis(row.integer(9))),
                  .history = std::move(*history),
                  .created_at = SystemTime(Millis(row.integer(11))),
                  .updated_at = SystemTime(Millis(row.integer(12)))};
}

Result<std::vector<Delivery>> read_all(const Result<std::vector<db::Row>>& rows) {
  if (!rows) return fail(rows.error());
  std::vector<Delivery> out;
  for (const db::Row& row : *rows) {
    auto delivery = read(row);
    if (!delivery) return fail(std::move(delivery.error()));
    out.push_back(std::move(*delivery));
  }
  return out;
}

Result<Delivery> find_in(db::Transaction& transaction, const DeliveryId& id) {
  const auto found = read_all(transaction.query(
      fmt::format("SELECT {} FROM webhook_deliveries WHERE id = $1", kColumns), {id.str()}));
  if (!found) return fail(found.error());
  if (found->empty()) return fail(Errc::not_found, fmt::format("there is no webhook delivery {}", id.str()));
  return found->front();
}

DeliveryState state_after(Fate fate) {
  switch (fate) {
    case Fate::delivered:
      return DeliveryState::delivered;
    case Fate::retry:
      return DeliveryState::pending;
    case Fate::failed:
      return DeliveryState::failed;
    case Fate::disable:
      return DeliveryState::disabled;
  }
  return DeliveryState::failed;
}

// A conjunction of what is asked for, with its parameters.
struct Condition {
  std::string sql = "1 = 1";
  std::vector<db::Value> parameters;
  void equal(std::string_view column, std::string value) {
    parameters.emplace_back(std::move(value));
    sql += fmt::format(" AND {} = ${}", column, parameters.size());
  }
};

Condition condition_of(const DeliveryStore::Filter& filter) {
  Condition where;
  if (filter.tenant) where.equal("tenant", *filter.tenant);
  if (filter.job) where.equal("job_id", filter.job->str());
  if (filter.state) where.equal("state", std::string(to_text(*filter.state)));
  return where;
}

}  // namespace

Result<Delivery> DeliveryStore::add(db::Transaction& transaction, NewDelivery delivery) {
  const auto gone = transaction.query("SELECT 1 FROM webhook_gone WHERE url = $1 AND tenant = $2",
                                      {delivery.url, delivery.tenant});
  if (!gone) return fail(gone.error());
  const SystemTime now = transaction.now();
  const DeliveryId id = DeliveryId::make(now);
  const auto added = transaction.execute(
      "INSERT INTO webhook_deliveries (id, job_id, tenant, event, url, body, state, next_at, created_at, "
      "updated_at) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $8, $8)",
      {id.str(), delivery.job.str(), delivery.tenant, delivery.event, delivery.url,
       json::serialize(delivery.body),
       std::string(to_text(gone->empty() ? DeliveryState::pending : DeliveryState::disabled)), millis(now)});
  if (!added) return fail(added.error());
  transaction.on_commit([this] { bell_.notify_all(); });
  return find_in(transaction, id);
}

Task<Result<std::vector<Delivery>>> DeliveryStore::claim(std::size_t limit, Millis length) {
  const std::string sql = fmt::format(
      "UPDATE webhook_deliveries SET epoch = epoch + 1, leased_until = $1 WHERE state = 'pending' AND"
      " leased_until <= $2 AND id IN (SELECT id FROM webhook_deliveries WHERE state = 'pending' AND"
      " next_at <= $2 AND leased_until <= $2 ORDER BY next_at, id LIMIT $3 /*pg FOR UPDATE SKIP LOCKED*/)"
      " RETURNING {}",
      kColumns);
  co_return co_await database_.write([sql, limit, length](db::Transaction& transaction) {
    const SystemTime now = transaction.now();
    return read_all(
        transaction.query(sql, {millis(now + length), millis(now), static_cast<std::int64_t>(limit)}));
  });
}

Task<Result<std::optional<Millis>>> DeliveryStore::next_due() {
  using Due = std::optional<Millis>;
  co_return co_await database_.read([](db::Transaction& transaction) -> Result<Due> {
    const auto rows = transaction.query(
        "SELECT MIN(CASE WHEN leased_until > next_at THEN leased_until ELSE next_at END)"
        " FROM webhook_deliveries WHERE state = 'pending'");
    if (!rows) return fail(rows.error());
    const auto due = rows->front().maybe_integer(0);
    return due ? Due(std::max(Millis(0), Millis(*due) - transaction.now().time_since_epoch())) : std::nullopt;
  });
}

Task<Result<void>> DeliveryStore::settle(Delivery delivery, Outcome outcome, Verdict verdict) {
  co_return co_await database_.write([=](db::Transaction& transaction) mutable -> Result<void> {
    const SystemTime now = transaction.now();
    delivery.history.push_back({now, outcome.status, to_valid_utf8(outcome.error)});
    if (delivery.history.size() > kHistory) delivery.history.erase(delivery.history.begin());
    const auto changed = transaction.execute(
        "UPDATE webhook_deliveries SET state = $1, attempts = attempts + 1, next_at = $2, leased_until = 0,"
        " history = $3, updated_at = $4 WHERE id = $5 AND epoch = $6 AND state = 'pending'",
        {std::string(to_text(state_after(verdict.fate))), millis(now + verdict.delay),
         json::serialize(encode(delivery.history)), millis(now), delivery.id.str(), delivery.epoch});
    if (!changed) return fail(changed.error());
    if (*changed == 0)
      return fail(Errc::conflict, fmt::format("the webhook delivery {} is in other hands", delivery.id.str()),
                  "lease_lost");
    if (verdict.fate != Fate::disable) return {};
    const auto disabled = transaction.execute(
        "INSERT INTO webhook_gone (url, tenant, since) VALUES ($1, $2, $3) ON CONFLICT DO NOTHING",
        {delivery.url, delivery.tenant, millis(now)});
    if (!disabled) return fail(disabled.error());
    return {};
  });
}

Task<Result<DeliveryStore::Page>> DeliveryStore::list(Filter filter) {
  co_return co_await database_.read([filter](db::Transaction& transaction) -> Result<Page> {
    Condition where = condition_of(filter);
    const auto total = transaction.query(
        fmt::format("SELECT COUNT(*) FROM webhook_deliveries WHERE {}", where.sql), where.parameters);
    if (!total) return fail(total.error());
    const std::size_t known = where.parameters.size();
    where.parameters.insert(where.parameters.end(), {filter.limit, filter.offset});
    auto deliveries = read_all(transaction.query(
        fmt::format("SELECT {} FROM webhook_deliveries WHERE {} ORDER BY id DESC LIMIT ${} OFFSET ${}",
                    kColumns, where.sql, known + 1, known + 2),
        where.parameters));
    if (!deliveries) return fail(std::move(deliveries.error()));
    return Page{std::move(*deliveries), total->front().integer(0)};
  });
}

Task<Result<Delivery>> DeliveryStore::find(DeliveryId id) {
  co_return co_await database_.read([id](db::Transaction& transaction) { return find_in(transaction, id); });
}

Task<Result<bool>> DeliveryStore::end_delivered(JobId job) {
  co_return co_await database_.read([job](db::Transaction& transaction) -> Result<bool> {
    const auto rows = transaction.query(
        "SELECT 1 FROM webhook_deliveries WHERE job_id = $1 AND state = 'delivered'"
        " AND event <> 'download.started' LIMIT 1",
        {job.str()});
    if (!rows) return fail(rows.error());
    return !rows->empty();
  });
}

Task<Result<Delivery>> DeliveryStore::replay(DeliveryId id) {
  co_return co_await database_.write([this, id](db::Transaction& transaction) -> Result<Delivery> {
    const std::int64_t now = millis(transaction.now());
    const auto delivery = find_in(transaction, id);
    if (!delivery) return delivery;
    if (delivery->state == DeliveryState::pending)
      return fail(Errc::conflict, fmt::format("the webhook delivery {} is still under way", id.str()),
                  "still_pending");
    const auto enabled = transaction.execute("DELETE FROM webhook_gone WHERE url = $1 AND tenant = $2",
                                             {delivery->url, delivery->tenant});
    if (!enabled) return fail(enabled.error());
    const auto changed = transaction.execute(
        "UPDATE webhook_deliveries SET state = 'pending', attempts = 0, next_at = $1, leased_until = 0,"
        " updated_at = $1 WHERE id = $2 AND state = $3",
        {now, id.str(), std::string(to_text(delivery->state))});
    if (!changed) return fail(changed.error());
    transaction.on_commit([this] { bell_.notify_all(); });
    return find_in(transaction, id);
  });
}

Task<Result<std::int64_t>> DeliveryStore::prune(Millis age) {
  co_return co_await database_.write([age](db::Transaction& transaction) {
    return transaction.execute("DELETE FROM webhook_deliveries WHERE state <> 'pending' AND updated_at < $1",
                               {millis(transaction.now() - age)});
  });
}

Task<Result<std::map<DeliveryState, std::int64_t>>> DeliveryStore::counts() {
  using Counts = std::map<DeliveryState, std::int64_t>;
  co_return co_await database_.read([](db::Transaction& transaction) -> Result<Counts> {
    const auto rows = transaction.query("SELECT state, COUNT(*) FROM webhook_deliveries GROUP BY state");
    if (!rows) return fail(rows.error());
    Counts counts;
    for (const db::Row& row : *rows) {
      if (const auto state = parse_enum<DeliveryState>(row.text(0))) counts[*state] = row.integer(1);
    }
    return counts;
  });
}

}  // namespace trawl::webhooks
