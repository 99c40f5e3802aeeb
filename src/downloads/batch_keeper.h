#pragma once

#include "async/scope.h"
#include "downloads/batches.h"

namespace trawl::downloads {

// Looks after batches while their children run: cancels the rest after the failure of one that is to stop on
// errors, goes on with a cancellation that a crash cut off, and closes what has ended. It acts on what
// the database says, so it may be late or repeat itself and does no harm.
class BatchKeeper {
 public:
  BatchKeeper(asio::any_io_executor executor, db::Database& database, Batches& batches, events::Bus& bus,
              const Clock& clock)
      : database_(database), batches_(batches), bus_(bus), clock_(clock), scope_(executor) {}

  void start();
  [[nodiscard]] Task<void> stop() { return scope_.close(); }

 private:
  Task<void> follow_children();
  Task<void> sweep_regularly();
  [[nodiscard]] Task<Result<std::size_t>> sweep();
  [[nodiscard]] Task<Result<void>> tend(std::string id);

  db::Database& database_;
  Batches& batches_;
  events::Bus& bus_;
  const Clock& clock_;
  Scope scope_;
};

}  // namespace trawl::downloads
