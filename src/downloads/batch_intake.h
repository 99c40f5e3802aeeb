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
  // Adds the entry's job, unless it is there already or the batch is full.
  [[nodiscard]] Result<void> take(db::Transaction& transaction, const media::Entry& entry,
                                  const json::object& playlist);

  [[nodiscard]] bool full() const { return children_ >= most_; }
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
  std::int64_t children_ = 0;
  std::int64_t skipped_ = 0;
  std::int64_t known_in_a_row_ = 0;
};

}  // namespace trawl::downloads
