#include "downloads/batch_intake.h"

#include "access/usage.h"
#include "downloads/archive.h"

namespace trawl::downloads {
namespace {

std::string key_of(const media::Entry& entry) {
  return entry_key(entry.extractor, entry.id, entry.url, entry.target);
}

}  // namespace

BatchIntake::BatchIntake(jobs::JobStore& store, const Batch& batch, const Selector& selector)
    : store_(store),
      batch_(batch),
      selector_(selector),
      options_(options_digest(batch.request)),
      most_(batch.request.max_downloads.value_or(INT64_MAX)) {}

Result<void> BatchIntake::begin(db::Transaction& transaction) {
  const auto rows = transaction.query("SELECT COUNT(*) FROM jobs WHERE batch_id = $1", {batch_.id});
  if (!rows) return fail(rows.error());
  children_ = rows->front().integer(0);
  const auto left = access::Quotas::jobs_left(transaction, batch_.tenant);
  if (!left) return fail(left.error());
  left_ = *left;
  added_ = 0;
  return {};
}

Result<void> BatchIntake::count(db::Transaction& transaction) {
  if (added_ == 0) return {};
  return access::Quotas::count_jobs(transaction, batch_.tenant, added_);
}

Result<bool> BatchIntake::is_known(db::Transaction& transaction, const std::string& key) const {
  if (!batch_.subscription) return false;
  const auto rows =
      transaction.query("SELECT 1 FROM subscription_entries WHERE subscription_id = $1 AND entry = $2",
                        {*batch_.subscription, key});
  if (!rows) return fail(rows.error());
  return !rows->empty();
}

Result<bool> BatchIntake::wants(db::Transaction& transaction, const media::Entry& entry) {
  const std::string key = key_of(entry);
  const auto there = has_child(transaction, batch_.id, key);
  if (!there || *there) return there;
  const auto known = is_known(transaction, key);
  if (!known) return known;
  auto downloaded = Result<bool>(false);
  if (!*known && skips_downloaded(batch_.request))
    downloaded = is_archived(transaction, batch_.tenant, key, options_);
  if (!downloaded) return downloaded;
  known_in_a_row_ = *known || *downloaded ? known_in_a_row_ + 1 : 0;
  skipped_ += *downloaded ? 1 : 0;
  return !*known && !*downloaded;
}

Result<void> BatchIntake::take(db::Transaction& transaction, const media::Entry& entry,
                               const json::object& playlist) {
  const std::string key = key_of(entry);
  const auto there = has_child(transaction, batch_.id, key);
  if (!there) return fail(there.error());
  if (*there || full()) return {};
  if (left_ && added_ >= *left_ && !batch_.baseline) {
    over_quota_ = true;
    return {};
  }
  if (batch_.subscription) {
    const auto met = transaction.execute(
        "INSERT INTO subscription_entries (subscription_id, entry) VALUES ($1, $2)"
        " ON CONFLICT (subscription_id, entry) DO NOTHING",
        {*batch_.subscription, key});
    if (!met) return fail(met.error());
  }
  if (batch_.baseline) return {};
  ++children_;
  ++added_;
  return insert_child(transaction, store_, batch_, entry, playlist, selector_.rank(entry));
}

}  // namespace trawl::downloads
