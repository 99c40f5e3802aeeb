#pragma once

#include "db/database.h"
#include "downloads/batch.h"
#include "jobs/job_store.h"

// The statements about `batches` and about the children of one, for use inside transactions.
namespace trawl::downloads {

[[nodiscard]] std::string make_batch_id(SystemTime now);

// `slots`: children that may run at once from now on.
[[nodiscard]] Result<void> insert_batch(db::Transaction& transaction, const Batch& batch, int slots);

[[nodiscard]] Result<Batch> find_batch(db::Transaction& transaction, const std::string& id);  // not_found

struct BatchFilter {
  std::optional<std::string> tenant, subscription;  // Empty: all.
  std::int64_t offset = 0, limit = 20;
};
struct BatchPage {
  std::vector<Batch> batches;  // Newest first.
  std::int64_t total = 0;
};
[[nodiscard]] Result<BatchPage> list_batches(db::Transaction& transaction, const BatchFilter& filter);

// Children in the order they are to run, with empty checkpoints.
[[nodiscard]] Result<std::vector<jobs::Job>> list_children(db::Transaction& transaction,
                                                           const std::string& batch, std::int64_t offset,
                                                           std::int64_t limit);

// At most `limit` children in one of `states`, behind `after` in the order of ids. Those that were left
// out by a filter are not among them.
[[nodiscard]] Result<std::vector<JobId>> children_in(db::Transaction& transaction, const std::string& batch,
                                                     const std::vector<jobs::State>& states,
                                                     const std::optional<JobId>& after, std::int64_t limit);

[[nodiscard]] Result<bool> has_child(db::Transaction& transaction, const std::string& batch,
                                     const std::string& key);
// Adds the job of an entry.
[[nodiscard]] Result<void> insert_child(db::Transaction& transaction, jobs::JobStore& store,
                                        const Batch& batch, const media::Entry& entry,
                                        const json::object& playlist, std::string rank);

// The condition a child has to fulfil to stop a batch that stops on errors; one that a filter left out does
// not.
inline constexpr std::string_view kFailedChild =
    "state IN ('failed', 'dead', 'expired')"
    " AND COALESCE(error_code, '') NOT IN ('filtered_out', 'already_downloaded')";

// The batch a job belongs to; nothing for a download of its own.
[[nodiscard]] Result<std::optional<std::string>> batch_of(db::Transaction& transaction, const JobId& job);

}  // namespace trawl::downloads
