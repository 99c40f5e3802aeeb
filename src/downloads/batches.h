#pragma once

#include "async/event.h"
#include "downloads/batch_rows.h"
#include "downloads/downloads.h"

namespace trawl::downloads {

// Batches as people ask for them: made, shown, paused, cancelled. Whatever concerns many children is
// first a word on the batch's row, which alone keeps further children from being handed out, and then
// done to the children in steps; BatchKeeper goes on with it when a process died in between.
class Batches {
 public:
  Batches(asio::any_io_executor executor, db::Database& database, jobs::JobStore& store, Downloads& downloads,
          const net::EgressPolicy& policy, const Clock& clock)
      : database_(database),
        store_(store),
        downloads_(downloads),
        policy_(policy),
        clock_(clock),
        changed_(executor) {}

  struct Children {
    Batch batch;
    std::vector<Download> downloads;  // In the order they are to run.
  };
  // Accepts a decoded request; when this returns, the batch is on disk. Children of `urls` exist already,
  // those of a playlist come as it is listed. Errors as of check_batch() and Downloads::submit().
  //
  // `then` runs in the transaction that makes the batch, after its children; when it fails there is no batch.
  using Then = std::function<Result<void>(db::Transaction&, const Children&)>;
  [[nodiscard]] Task<Result<Batch>> submit(BatchRequest request, std::string tenant, Then then = {});

  [[nodiscard]] Task<Result<Batch>> find(std::string id);  // Errc::not_found
  [[nodiscard]] Task<Result<BatchPage>> list(BatchFilter filter);
  [[nodiscard]] Task<Result<Children>> show(std::string id, std::int64_t offset, std::int64_t limit);

  // Waits until the children are known, or for `limit`.
  [[nodiscard]] Task<Result<Batch>> await_expansion(std::string id, std::chrono::milliseconds limit);

  // Cancels every child that has not ended; how many. Errc::conflict, reason "already_final".
  [[nodiscard]] Task<Result<std::int64_t>> cancel(std::string id);
  // Nothing more is started, what runs is stopped and keeps what it has; a listing stops as well.
  // Errc::conflict: "already_final", "being_cancelled".
  [[nodiscard]] Task<Result<Batch>> pause(std::string id);
  // Errc::conflict, reason "not_paused".
  [[nodiscard]] Task<Result<Batch>> resume(std::string id);
  // Tries the children again that ended without success, and a listing that failed; how many children.
  // Errc::conflict, reason "not_retryable", when there is nothing of that kind.
  [[nodiscard]] Task<Result<std::int64_t>> retry(std::string id);
  // Forgets a batch that has ended; its children stay, as downloads of their own.
  [[nodiscard]] Task<Result<void>> remove(std::string id);

  // The steps (status events) of a batch's children with seq > `after`, oldest first, at most `limit`.
  [[nodiscard]] Task<Result<std::vector<events::Event>>> steps_since(std::string id, std::int64_t after,
                                                                     std::int64_t limit);
  [[nodiscard]] Task<Result<std::int64_t>> newest_seq();

  // Notified when there is something to list or to look after.
  [[nodiscard]] Event& changed() { return changed_; }
  // Cancels children until none is left that could be; how many.
  [[nodiscard]] Task<Result<std::int64_t>> cancel_children(std::string id);

 private:
  using Change = std::function<Result<void>(db::Transaction&, const JobId&)>;
  // Does `change` to every child in one of `states`, in steps.
  [[nodiscard]] Task<Result<std::int64_t>> for_children(std::string id, std::vector<jobs::State> states,
                                                        Change change);
  [[nodiscard]] Task<Result<Batch>> order(std::string id,
                                          std::function<Result<void>(db::Transaction&, const Batch&)> write);

  db::Database& database_;
  jobs::JobStore& store_;
  Downloads& downloads_;
  const net::EgressPolicy& policy_;
  const Clock& clock_;
  Event changed_;
};

}  // namespace trawl::downloads
