#pragma once

#include "async/scope.h"
#include "downloads/batches.h"
#include "downloads/subscription_rows.h"

namespace trawl::downloads {

// Looks at playlists, channels and feeds when their time comes, and makes a batch of what is new.
//
// A run is a batch: the transaction that moves `next_run_at` on makes it, so a run is never lost or made
// twice, and the batch's own listing goes on after a crash. An entry is remembered in the transaction
// that makes its job, so it is submitted once.
class Subscriptions {
 public:
  Subscriptions(asio::any_io_executor executor, db::Database& database, Batches& batches,
                Downloads& downloads, const net::EgressPolicy& policy, const Clock& clock)
      : database_(database),
        batches_(batches),
        downloads_(downloads),
        policy_(policy),
        clock_(clock),
        changed_(executor),
        scope_(executor) {}

  void start();
  [[nodiscard]] Task<void> stop() { return scope_.close(); }

  // The first look comes at once, unless it is paused. Errors as of check_subscription() and of
  // Batches::submit().
  //
  // `then` runs in the transaction that makes it; when it fails there is no subscription.
  using Then = std::function<Result<void>(db::Transaction&, const Subscription&)>;
  [[nodiscard]] Task<Result<Subscription>> add(SubscriptionRequest request, std::string tenant,
                                               Then then = {});
  [[nodiscard]] Task<Result<Subscription>> find(std::string id);
  [[nodiscard]] Task<Result<SubscriptionPage>> list(std::optional<std::string> tenant, std::int64_t offset,
                                                    std::int64_t limit);
  // Replaces the request; the entries met so far stay known.
  [[nodiscard]] Task<Result<Subscription>> update(std::string id, SubscriptionRequest request);
  [[nodiscard]] Task<Result<Subscription>> set_paused(std::string id, bool paused);
  [[nodiscard]] Task<Result<void>> remove(std::string id);
  // Looks now, also while paused; the schedule stays. Errc::conflict, reason "already_running".
  [[nodiscard]] Task<Result<Batch>> run_now(std::string id);
  // Its runs, newest first.
  [[nodiscard]] Task<Result<BatchPage>> runs(std::string id, std::int64_t offset, std::int64_t limit);

 private:
  using Write = std::function<Result<void>(db::Transaction&, Subscription&)>;
  [[nodiscard]] Task<Result<Subscription>> change(std::string id, Write write);
  [[nodiscard]] Task<Result<void>> check(SubscriptionRequest request, std::string tenant);
  Task<void> run();
  void tell();
  Task<Result<std::optional<SystemTime>>> run_due();
  // Makes the batch of one run and counts it.
  [[nodiscard]] Result<Batch> begin_run(db::Transaction& transaction, Subscription& subscription);

  db::Database& database_;
  Batches& batches_;
  Downloads& downloads_;
  const net::EgressPolicy& policy_;
  const Clock& clock_;
  Event changed_;
  bool news_ = false;  // Something changed since the last look.
  Scope scope_;
};

}  // namespace trawl::downloads
