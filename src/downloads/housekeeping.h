#pragma once

#include <chrono>

#include "async/scope.h"
#include "events/bus.h"
#include "storage/storage.h"

namespace trawl::downloads {

// Removes what nobody needs any more: the work folders of jobs that ended, expired artifacts, and
// whatever a crash left behind.
class Housekeeping {
 public:
  Housekeeping(asio::any_io_executor executor, events::Bus& bus, storage::ArtifactStore& storage)
      : bus_(bus), storage_(storage), scope_(executor) {}

  void start();
  [[nodiscard]] Task<void> stop() { return scope_.close(); }

 private:
  Task<void> clear_ended_jobs();
  Task<void> sweep_regularly();

  events::Bus& bus_;
  storage::ArtifactStore& storage_;
  Scope scope_;
};

}  // namespace trawl::downloads
