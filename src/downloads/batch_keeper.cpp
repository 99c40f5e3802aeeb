#include "downloads/batch_keeper.h"

#include "base/log.h"
#include "jobs/job_row.h"

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;

Result<std::vector<std::string>> open_batches(db::Transaction& transaction) {
  const auto rows = transaction.query("SELECT id FROM batches WHERE settled = 0 ORDER BY id");
  if (!rows) return fail(rows.error());
  std::vector<std::string> ids;
  for (const db::Row& row : *rows) ids.push_back(row.text(0));
  return ids;
}

Result<bool> any(db::Transaction& transaction, const std::string& batch, std::string_view condition) {
  const auto rows = transaction.query(
      "SELECT 1 FROM jobs WHERE batch_id = $1 AND " + std::string(condition) + " LIMIT 1", {batch});
  if (!rows) return fail(rows.error());
  return !rows->empty();
}

// What a batch needs after a look at its children. All of it is asked of indexes: a batch may be long.
enum class Need { nothing, cancel_rest };

Result<Need> look_after(db::Transaction& transaction, const std::string& id, SystemTime now) {
  const auto rows = transaction.query(
      "SELECT expansion, intent, stop_on_error FROM batches WHERE id = $1 AND settled = 0", {id});
  if (!rows) return fail(rows.error());
  if (rows->empty()) return Need::nothing;
  const bool listing = rows->front().text(0) == "pending";
  const std::string& intent = rows->front().text(1);
  const auto open = any(transaction, id,
                        "state IN ('scheduled', 'queued', 'running', 'paused', 'retry_wait', 'cancelling')");
  if (!open) return fail(open.error());
  if (!*open && !listing) {
    const auto settled =
        transaction.execute("UPDATE batches SET settled = 1 WHERE id = $1 AND expansion <> 'pending'", {id});
    if (!settled) return fail(settled.error());
    return Need::nothing;
  }
  if (intent == "cancel" || intent == "stop") return Need::cancel_rest;
  if (!rows->front().boolean(2)) return Need::nothing;
  const auto failed = any(transaction, id, kFailedChild);
  if (!failed) return fail(failed.error());
  if (!*failed) return Need::nothing;
  const auto stopped = transaction.execute(
      "UPDATE batches SET intent = 'stop', slots = 0, expansion = 'done', epoch = epoch + 1, updated_at = $1"
      " WHERE id = $2",
      {jobs::to_millis(now), id});
  if (!stopped) return fail(stopped.error());
  return Need::cancel_rest;
}

}  // namespace

void BatchKeeper::start() {
  scope_.spawn("follow batches", follow_children());
  scope_.spawn("sweep batches", sweep_regularly());
}

Task<void> BatchKeeper::follow_children() {
  auto events = bus_.subscribe(std::nullopt);
  while (!scope_.closing()) {
    const auto event = co_await events->next(1h);
    if (events->lagged()) events = bus_.subscribe(std::nullopt);  // The sweep finds what was missed.
    if (!event || event->type != events::Type::status || !event->data.at("final").as_bool()) continue;
    const auto batch = co_await database_.read(
        [job = event->job](db::Transaction& transaction) { return batch_of(transaction, job); });
    if (!batch || !*batch) continue;
    if (const auto tended = co_await tend(**batch); !tended)
      log_error("cannot look after a batch", {{"batch", **batch}, {"error", tended.error().message}});
  }
}

Task<void> BatchKeeper::sweep_regularly() {
  while (!scope_.closing()) {
    if (const auto swept = co_await sweep(); !swept)
      log_error("cannot look after batches", {{"error", swept.error().message}});
    co_await sleep_for(5s);
  }
}

Task<Result<std::size_t>> BatchKeeper::sweep() {
  const auto ids = co_await database_.read(open_batches);
  if (!ids) co_return fail(ids.error());
  for (const std::string& id : *ids) {
    if (auto tended = co_await tend(id); !tended) co_return fail(tended.error());
  }
  co_return ids->size();
}

Task<Result<void>> BatchKeeper::tend(std::string id) {
  const auto need = co_await database_.write(
      [this, id](db::Transaction& transaction) { return look_after(transaction, id, clock_.now()); });
  if (!need) co_return fail(need.error());
  if (*need == Need::cancel_rest) {
    const auto cancelled = co_await batches_.cancel_children(id);
    if (!cancelled) co_return fail(cancelled.error());
    if (*cancelled > 0) co_return co_await tend(id);
  }
  co_return Result<void>();
}

}  // namespace trawl::downloads
