#pragma once

#include "db/database.h"
#include "downloads/subscription.h"

// The statements about `subscriptions`, for use inside transactions.
namespace trawl::downloads {

[[nodiscard]] std::string make_subscription_id(SystemTime now);

[[nodiscard]] Result<void> insert_subscription(db::Transaction& transaction,
                                               const Subscription& subscription);
// Writes the request and the times.
[[nodiscard]] Result<void> update_subscription(db::Transaction& transaction,
                                               const Subscription& subscription);
[[nodiscard]] Result<Subscription> find_subscription(db::Transaction& transaction,
                                                     const std::string& id);  // not_found

struct SubscriptionPage {
  std::vector<Subscription> subscriptions;  // Newest first.
  std::int64_t total = 0;
};
[[nodiscard]] Result<SubscriptionPage> list_subscriptions(db::Transaction& transaction,
                                                          const std::optional<std::string>& tenant,
                                                          std::int64_t offset, std::int64_t limit);
// With everything that was remembered of its entries; its batches stay.
[[nodiscard]] Result<void> delete_subscription(db::Transaction& transaction, const std::string& id);

// Those to be looked at by now, and when the next one will be.
struct DueSubscriptions {
  std::vector<std::string> ids;
  std::optional<SystemTime> next;
};
[[nodiscard]] Result<DueSubscriptions> due_subscriptions(db::Transaction& transaction, SystemTime now);

// Whether the playlist is being listed for it at the moment, or waits to be.
[[nodiscard]] Result<bool> is_being_listed(db::Transaction& transaction, const std::string& id);
// Forgets runs that brought nothing, beside the newest `keep`.
[[nodiscard]] Result<void> prune_runs(db::Transaction& transaction, const std::string& id, std::int64_t keep);

}  // namespace trawl::downloads
