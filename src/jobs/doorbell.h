#pragma once

#include <functional>
#include <memory>

#include "async/scope.h"
#include "async/wire.h"
#include "events/bus.h"
#include "jobs/job_store.h"

namespace trawl::jobs {

// Rings at the other nodes when a job became ready here, and rings here when one became ready there.
//
// With a wire (Redis Streams, SQS) each ready job is rung for at one node that has room. Without one,
// every node hears of it through the bus (events/relay.h). Rings may be lost or come twice: who waits
// also looks from time to time.
class Doorbell {
 public:
  using HasRoom = std::function<bool()>;  // Whether another job could be taken now.

  // `wire` may be null. Without `has_room` this node takes no jobs, and hears no rings.
  Doorbell(asio::any_io_executor executor, JobStore& store, events::Bus& bus, Wire* wire, HasRoom has_room);

  void start();
  [[nodiscard]] Task<void> stop();

 private:
  Task<void> watch_bus();
  Task<void> watch_room();

  JobStore& store_;
  events::Bus& bus_;
  Wire* wire_;
  HasRoom has_room_;
  Scope scope_;
};

}  // namespace trawl::jobs
