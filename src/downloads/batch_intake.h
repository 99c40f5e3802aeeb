#pragma once

#include "downloads/batch_rows.h"

namespace trawl::downloads {

// Takes the entries of one listing into a batch, inside the transaction of their page.
class BatchIntake {
 public:
  BatchIntake(jobs::JobStore& store, const Batch& batch, const Selector& selector);

  // To be called before the entries of a page: what is there already.
  [[nodiscard]] Result<void> begin(db::Transaction& transaction);
  // Whether the entry belongs to the batch: it was neither downloaded before nor met by the subscription.
  [[nodiscard]] Result<bool> wants(db::Transaction& transaction, const media::Entry& entry);
  // Adds the entry's job, unless it is there already, the batch is full, or its owner may create no more.
  [[nodiscard]] Result<void> take(db::Transaction& transaction, const media::Entry& entry,
                                  const json::object& playlist);

  // To be called after the entries of a page: counts its jobs against the quota of the batch's owner.
  [[nodiscard]] Result<void> count(db::Transaction& transaction);

  [[nodiscard]] bool full() const { return children_ >= most_ || over_quota_; }
  // An entry was left out because its owner may create no more downloads.
  [[nodiscard]] bool over_quota() const { return over_quota_; }
  [[nodiscard]] std::int64_t children() const { return children_; }
  [[nodiscard]] std::int64_t skipped() const { return skipped_; }
  // Entries that came before, one after the other, up to the newest.
  [[nodiscard]] std::int64_t known_in_a_row() const { return known_in_a_row_; }

 private:
  [[nodiscard]] Result<bool> is_known(db::Transaction& transaction, const std::string& key) const;

  jobs::JobStore& store_;
  const Batch& batch_;
  const Selector& selector_;
  std::string options_;
  std::int64_t most_;
  std::int64_t children_ = 0, added_ = 0;  // Jobs of the batch; those of this page.
  std::optional<std::int64_t> left_;       // How many its owner may still create.
  bool over_quota_ = false;
  std::int64_t skipped_ = 0;
  std::int64_t known_in_a_row_ = 0;
};

}  // namespace trawl::downloads
