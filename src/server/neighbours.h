#pragma once

#include <memory>
#include <optional>
#include <string>

#include "async/wire.h"
#include "aws/credentials.h"
#include "events/relay.h"
#include "jobs/doorbell.h"
#include "server/config.h"

namespace trawl::server {

// What ties this process to the others over the same database: news of what happens there, and rings
// for jobs that are ready. Through Redis when there is one, else through PostgreSQL; with SQLite there
// are no others.
class Neighbours {
 public:
  // `node`: a name that no other process has or had. `broker_keys` sign what the queue is asked, if there is
  // one.
  Neighbours(asio::any_io_executor executor, const Config& config, events::Bus& bus, jobs::JobStore& store,
             const std::string& node, std::shared_ptr<aws::Credentials> broker_keys);

  // From now on news go to and fro. Without `has_room` this process takes no jobs.
  void start(jobs::Doorbell::HasRoom has_room);
  [[nodiscard]] Task<void> stop();

 private:
  std::unique_ptr<Wire> news_, rings_;
  std::optional<events::Relay> relay_;
  asio::any_io_executor executor_;
  events::Bus& bus_;
  jobs::JobStore& store_;
  std::optional<jobs::Doorbell> doorbell_;
};

}  // namespace trawl::server
