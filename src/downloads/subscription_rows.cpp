#include "downloads/subscription_rows.h"

#include <algorithm>

#include <fmt/format.h>

#include "jobs/job_row.h"

namespace trawl::downloads {
namespace {

constexpr std::string_view kColumns =
    "s.id, s.tenant, s.request, s.paused, s.created_at, s.updated_at, s.next_run_at, s.last_run_at, s.runs,"
    " (SELECT COUNT(*) FROM subscription_entries e WHERE e.subscription_id = s.id),"
    " (SELECT MAX(b.id) FROM batches b WHERE b.subscription_id = s.id)";

SystemTime time_of(std::int64_t millis) {
  return SystemTime(Millis(millis));
}

std::optional<SystemTime> maybe_time(const db::Row& row, std::size_t column) {
  const auto millis = row.maybe_integer(column);
  return millis ? std::optional(time_of(*millis)) : std::nullopt;
}

db::Value maybe_millis(std::optional<SystemTime> time) {
  return db::null_or(time ? std::optional(jobs::to_millis(*time)) : std::nullopt);
}

Result<Subscription> read_subscription(const db::Row& row) {
  Subscription out;
  out.id = row.text(0);
  out.tenant = row.text(1);
  const auto document = parse_json(row.text(2));
  auto request = document ? decode_own<SubscriptionRequest>(*document, "the request of " + out.id)
                          : Result<SubscriptionRequest>(fail(document.error()));
  if (!request) return fail(std::move(request.error()));
  out.request = std::move(*request);
  out.request.paused = row.boolean(3);
  out.created_at = time_of(row.integer(4));
  out.updated_at = time_of(row.integer(5));
  out.next_run_at = maybe_time(row, 6);
  out.last_run_at = maybe_time(row, 7);
  out.runs = row.integer(8);
  out.entries = row.integer(9);
  out.last_run = row.maybe_text(10);
  return out;
}

}  // namespace

std::string make_subscription_id(SystemTime now) {
  std::string hex = Uuid::make(now).str();
  std::erase(hex, '-');
  return "sub_" + hex;
}

Result<void> insert_subscription(db::Transaction& transaction, const Subscription& subscription) {
  const auto inserted = transaction.execute(
      "INSERT INTO subscriptions (id, tenant, request, paused, next_run_at, created_at, updated_at)"
      " VALUES ($1, $2, $3, $4, $5, $6, $6)",
      {subscription.id, subscription.tenant, json::serialize(encode(subscription.request)),
       std::int64_t{subscription.request.paused}, maybe_millis(subscription.next_run_at),
       jobs::to_millis(subscription.created_at)});
  if (!inserted) return fail(inserted.error());
  return {};
}

Result<void> update_subscription(db::Transaction& transaction, const Subscription& subscription) {
  const auto updated = transaction.execute(
      "UPDATE subscriptions SET request = $1, paused = $2, next_run_at = $3, last_run_at = $4, runs = $5,"
      " updated_at = $6 WHERE id = $7",
      {json::serialize(encode(subscription.request)), std::int64_t{subscription.request.paused},
       maybe_millis(subscription.next_run_at), maybe_millis(subscription.last_run_at), subscription.runs,
       jobs::to_millis(subscription.updated_at), subscription.id});
  if (!updated) return fail(updated.error());
  return {};
}

Result<Subscription> find_subscription(db::Transaction& transaction, const std::string& id) {
  const auto rows =
      transaction.query(fmt::format("SELECT {} FROM subscriptions s WHERE s.id = $1", kColumns), {id});
  if (!rows) return fail(rows.error());
  if (rows->empty())
    return fail(Errc::not_found, fmt::format("there is no subscription {}", to_valid_utf8(id)));
  return read_subscription(rows->front());
}

Result<SubscriptionPage> list_subscriptions(db::Transaction& transaction,
                                            const std::optional<std::string>& tenant, std::int64_t offset,
                                            std::int64_t limit) {
  std::vector<db::Value> parameters{limit, offset};
  if (tenant) parameters.emplace_back(*tenant);
  const auto total =
      tenant ? transaction.query("SELECT COUNT(*) FROM subscriptions WHERE tenant = $1", {*tenant})
             : transaction.query("SELECT COUNT(*) FROM subscriptions");
  if (!total) return fail(total.error());
  const auto rows =
      transaction.query(fmt::format("SELECT {} FROM subscriptions s {} ORDER BY s.id DESC LIMIT $1 OFFSET $2",
                                    kColumns, tenant ? "WHERE s.tenant = $3" : ""),
                        parameters);
  if (!rows) return fail(rows.error());
  SubscriptionPage page{{}, total->front().integer(0)};
  for (const db::Row& row : *rows) {
    auto subscription = read_subscription(row);
    if (!subscription) return fail(std::move(subscription.error()));
    page.subscriptions.push_back(std::move(*subscription));
  }
  return page;
}

Result<void> delete_subscription(db::Transaction& transaction, const std::string& id) {
  for (const char* statement : {"DELETE FROM subscription_entries WHERE subscription_id = $1",
                                "DELETE FROM subscriptions WHERE id = $1"}) {
    if (const auto done = transaction.execute(statement, {id}); !done) return fail(done.error());
  }
  return {};
}

Result<DueSubscriptions> due_subscriptions(db::Transaction& transaction, SystemTime now) {
  constexpr std::int64_t kAtOnce = 100;
  const auto rows = transaction.query(
      "SELECT id, next_run_at FROM subscriptions WHERE next_run_at IS NOT NULL ORDER BY next_run_at LIMIT $1",
      {kAtOnce});
  if (!rows) return fail(rows.error());
  DueSubscriptions out;
  for (const db::Row& row : *rows) {
    const SystemTime at = time_of(row.integer(1));
    if (at > now) {
      out.next = at;
      break;
    }
    out.ids.push_back(row.text(0));
  }
  return out;
}

Result<bool> is_being_listed(db::Transaction& transaction, const std::string& id) {
  const auto rows = transaction.query(
      "SELECT 1 FROM batches WHERE subscription_id = $1 AND settled = 0 AND expansion = 'pending'", {id});
  if (!rows) return fail(rows.error());
  return !rows->empty();
}

Result<void> prune_runs(db::Transaction& transaction, const std::string& id, std::int64_t keep) {
  const auto pruned = transaction.execute(
      "DELETE FROM batches WHERE subscription_id = $1 AND settled = 1"
      " AND NOT EXISTS (SELECT 1 FROM jobs j WHERE j.batch_id = batches.id)"
      " AND id <= (SELECT b.id FROM batches b WHERE b.subscription_id = $1 ORDER BY b.id DESC LIMIT 1 OFFSET "
      "$2)",
      {id, keep});
  if (!pruned) return fail(pruned.error());
  return {};
}

}  // namespace trawl::downloads
