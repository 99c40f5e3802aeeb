#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "async/event.h"
#include "db/database.h"
#include "webhooks/delivery.h"
#include "webhooks/schedule.h"

namespace trawl::webhooks {

struct NewDelivery {
  JobId job;
  std::string tenant;
  std::string event;
  std::string url;
  json::object body;
};

// Keeps deliveries until they have arrived or were given up. Each claim has a new epoch; what a
// sender writes carries it, so one that stalled cannot overwrite its successor's result.
class DeliveryStore {
 public:
  DeliveryStore(db::Database& database, asio::any_io_executor executor)
      : database_(database), bell_(executor) {}

  // Adds a delivery in the caller's transaction: it exists exactly when what it tells of happened.
  // To an address that answered 410 it is recorded as disabled.
  [[nodiscard]] Result<Delivery> add(db::Transaction& transaction, NewDelivery delivery);

  // Hands out at most `limit` due deliveries, each for `length`, oldest first.
  [[nodiscard]] Task<Result<std::vector<Delivery>>> claim(std::size_t limit, Millis length);
  // How long until the next one is due; nothing when none waits.
  [[nodiscard]] Task<Result<std::optional<Millis>>> next_due();
  // Records an attempt on a claimed delivery. Errc::conflict when it was handed out again since.
  [[nodiscard]] Task<Result<void>> settle(Delivery delivery, Outcome outcome, Verdict verdict);

  struct Filter {
    std::optional<std::string> tenant;  // Empty: everybody's.
    std::optional<JobId> job;
    std::optional<DeliveryState> state;
    std::int64_t offset = 0;
    std::int64_t limit = 20;
  };
  struct Page {
    std::vector<Delivery> deliveries;  // Newest first.
    std::int64_t total = 0;
  };
  [[nodiscard]] Task<Result<Page>> list(Filter filter);
  [[nodiscard]] Task<Result<Delivery>> find(DeliveryId id);  // Errc::not_found
  // Whether the end of this job has arrived at its listener.
  [[nodiscard]] Task<Result<bool>> end_delivered(JobId job);
  // Sends a settled delivery again under its id, with all attempts before it, and to its address
  // again if that was disabled. Errc::conflict ("still_pending") when it has not been settled.
  [[nodiscard]] Task<Result<Delivery>> replay(DeliveryId id);
  // Deletes settled deliveries older than `age`; returns how many.
  [[nodiscard]] Task<Result<std::int64_t>> prune(Millis age);
  [[nodiscard]] Task<Result<std::map<DeliveryState, std::int64_t>>> counts();

  // Rung when a delivery became due. A hint.
  [[nodiscard]] Event& bell() { return bell_; }

 private:
  db::Database& database_;
  Event bell_;
};

}  // namespace trawl::webhooks
