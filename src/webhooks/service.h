#pragma once

#include <memory>
#include <string>

#include "events/event_log.h"
#include "net/egress.h"
#include "webhooks/delivery_store.h"
#include "webhooks/outbox.h"
#include "webhooks/poster.h"
#include "webhooks/progress_notes.h"
#include "webhooks/sender.h"

namespace trawl::webhooks {

struct Options {
  bool enabled = true;
  PosterOptions poster;
  Sender::Options sender;
  std::string public_url;  // Prefix of the links in payloads.
  std::string ca_file;     // Certificates to trust; empty: those of the system.
  bool allow_private_networks = false;
};

// All of a process's webhooks, with an HTTP client and an egress policy of their own: what downloads
// may reach says nothing about where events may go.
class Service {
 public:
  Service(asio::any_io_executor executor, db::Database& database, events::EventLog& log, events::Bus& bus,
          const Clock& clock, Options options);

  // Deliveries are recorded from the construction on; they are sent between start() and stop().
  void start();
  [[nodiscard]] Task<void> stop();

  // Whether events may be sent there. Errc::unsupported ("webhooks_disabled"), Errc::invalid
  // ("invalid_url"), Errc::forbidden ("address_not_allowed", ...). A name that does not resolve may pass.
  [[nodiscard]] Task<Result<void>> admit(std::string url);
  // Sends a "webhook.test" event there, like any other.
  [[nodiscard]] Task<Result<Delivery>> test(std::string url, std::string tenant);

  [[nodiscard]] DeliveryStore& deliveries() { return store_; }

 private:
  db::Database& database_;
  const Clock& clock_;
  const Options options_;
  net::EgressPolicy policy_;
  std::unique_ptr<transfer::HttpClient> client_;
  DeliveryStore store_;
  Outbox outbox_;
  Poster poster_;
  Sender sender_;
  ProgressNotes progress_;
};

}  // namespace trawl::webhooks
