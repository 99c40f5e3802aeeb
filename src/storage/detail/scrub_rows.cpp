#include "storage/detail/scrub_rows.h"

#include <algorithm>
#include <set>

namespace trawl::storage::detail {
namespace {

std::int64_t millis(SystemTime time) {
  return time.time_since_epoch().count();
}

}  // namespace

Result<SystemTime> due_before(db::Transaction& transaction, Millis interval) {
  const auto rows = transaction.query("SELECT asked_at FROM scrub WHERE id = 1");
  if (!rows) return fail(rows.error());
  const SystemTime asked{Millis(rows->empty() ? 0 : rows->front().integer(0))};
  return std::max(asked, transaction.now() - interval);
}

Result<bool> hold_scrub(db::Transaction& transaction, const std::string& holder, Millis length) {
  const auto held = transaction.execute(
      "UPDATE scrub SET holder = $1, lease_until = $2 WHERE id = 1 AND (holder = $1 OR lease_until < $3)",
      {holder, millis(transaction.now() + length), millis(transaction.now())});
  if (!held) return fail(held.error());
  return *held == 1;
}

Result<std::optional<std::string>> scrub_holder(db::Transaction& transaction) {
  const auto rows =
      transaction.query("SELECT holder FROM scrub WHERE lease_until >= $1", {millis(transaction.now())});
  if (!rows) return fail(rows.error());
  return rows->empty() ? std::nullopt : std::optional(rows->front().text(0));
}

Result<std::vector<Expected>> next_due(db::Transaction& transaction, const Due& due, int count,
                                       std::int64_t bytes) {
  const auto before = due_before(transaction, due.interval);
  if (!before) return fail(before.error());
  const auto answers = transaction.query_all(
      {{.sql = "SELECT location, size, sha256 FROM artifacts"
               " WHERE integrity = 'unreadable' AND checked_at < $1 ORDER BY checked_at, id LIMIT $2",
        .parameters = {millis(transaction.now() - due.unreadable), std::int64_t{count}}},
       {.sql = "SELECT location, size, sha256 FROM artifacts WHERE checked_at < $1 ORDER BY checked_at, id"
               " LIMIT $2",
        .parameters = {millis(*before), std::int64_t{count}}}});
  if (!answers) return fail(answers.error());
  std::vector<Expected> out;
  std::set<std::string> known;
  std::int64_t total = 0;
  for (const auto& rows : *answers) {
    for (const db::Row& row : rows) {
      const bool room = out.empty() || total + row.integer(1) <= bytes;
      if (!room || std::ssize(out) == count || !known.insert(row.text(0)).second) continue;
      out.push_back({row.text(0), row.integer(1), row.text(2)});
      total += row.integer(1);
    }
  }
  return out;
}

Result<std::vector<Kept>> keep_checked(db::Transaction& transaction, const std::vector<Checked>& checked) {
  std::vector<Kept> out;
  for (const Checked& one : checked) {
    const std::string integrity(to_text(one.integrity));
    const auto rows = transaction.query(
        "SELECT 1 FROM artifacts WHERE location = $1 AND integrity <> $2 ORDER BY id /*pg FOR UPDATE*/",
        {one.file.location, integrity});
    if (!rows) return fail(rows.error());
    const auto kept =
        transaction.execute("UPDATE artifacts SET checked_at = $2, integrity = $3 WHERE location = $1",
                            {one.file.location, millis(transaction.now()), integrity});
    if (!kept) return fail(kept.error());
    const bool news = !rows->empty() && one.integrity != Integrity::sound;
    if (*kept > 0) out.push_back({one, news});
  }
  return out;
}

}  // namespace trawl::storage::detail
