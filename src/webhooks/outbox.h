#pragma once

#include <optional>
#include <string>

#include "events/event_log.h"
#include "webhooks/delivery_store.h"
#include "webhooks/payload.h"

namespace trawl::webhooks {

// Turns status events into deliveries, in the transaction that makes the event.
class Outbox {
 public:
  Outbox(DeliveryStore& store, std::string public_url) : store_(store), public_url_(std::move(public_url)) {}

  // For EventLog::observe(). Does nothing for a job that names no webhook_url.
  [[nodiscard]] Result<void> record(db::Transaction& transaction, const events::Event& event);

 private:
  DeliveryStore& store_;
  const std::string public_url_;
};

// Whose job it is, and where it wants to be told of; nothing when nowhere.
struct Listener {
  std::string tenant;
  std::string webhook_url;
  bool first_attempt = false;
  Subject subject;
};

[[nodiscard]] Result<std::optional<Listener>> listener_of(db::Transaction& transaction, const JobId& job);

}  // namespace trawl::webhooks
