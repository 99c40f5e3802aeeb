#pragma once

#include <chrono>

#include "async/scope.h"
#include "events/bus.h"
#include "storage/storage.h"

namespace trawl::downloads {

// Removes what nobody needs any more: the work folders of jobs that ended, expired artifacts, records of
// downloads that ended long ago, and whatever a crash left behind.
class Housekeeping {
 public:
  // `record_time`: how long what has ended is remembered, see forget_records(); 0 is for ever.
  Housekeeping(asio::any_io_executor executor, events::Bus& bus, storage::ArtifactStore& storage,
               db::Database& database, const Clock& clock, std::chrono::seconds record_time)
      : bus_(bus),
        storage_(storage),
        database_(database),
        clock_(clock),
        record_time_(record_time),
        scope_(executor) {}

  void start();
  [[nodiscard]] Task<void> stop() { return scope_.close(); }

 private:
  Task<void> clear_ended_jobs();
  Task<void> sweep_regularly();
  Task<void> forget_regularly();

  events::Bus& bus_;
  storage::ArtifactStore& storage_;
  db::Database& database_;
  const Clock& clock_;
  const std::chrono::seconds record_time_;
  Scope scope_;
};

}  // namespace trawl::downloads
