#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/result.h"
#include "db/database.h"
#include "events/bus.h"

namespace trawl::events {

// The durable record of what happened to every job: table `events`, in commit order.
class EventLog {
 public:
  // Of a job's log lines about the newest `keep_lines` are kept: an append removes older ones now and
  // then, so that a few hundred more may be there. Status events stay.
  EventLog(db::Database& database, Bus& bus, const Clock& clock, std::int64_t keep_lines = 2000)
      : database_(database), bus_(bus), clock_(clock), keep_lines_(keep_lines) {}

  // Adds an event inside the caller's transaction and publishes it on the bus after the commit.
  // The transaction fails with Errc::conflict if there is no such job; progress is not recorded and refused
  // with internal.
  [[nodiscard]] Result<void> append(db::Transaction& transaction, const JobId& job, Type type,
                                    json::object data);

  // Has every later append() shown to `observer`, inside its transaction and on the database's thread:
  // what the observer writes exists exactly when the event does, and its failure is the append's. The
  // event has no `seq` yet.
  using Observer = std::function<Result<void>(db::Transaction&, const Event&)>;
  void observe(Observer observer) { observer_ = std::move(observer); }

  // Has every event that was appended here and is committed told to `listener`, on the bus's executor.
  // Unlike the bus it tells of no events of other nodes, and misses none.
  void on_recorded(std::function<void(const Event&)> listener) { recorded_ = std::move(listener); }

  // Events of `job` with seq > after, oldest first, at most `limit`.
  [[nodiscard]] Task<Result<std::vector<Event>>> since(JobId job, std::int64_t after,
                                                       std::size_t limit = 1000);

  // Log lines of a job: the last `tail` of them at or above `level`, oldest first, skipping `offset`
  // from the newest end. `total` counts all that match. An empty level means all lines.
  struct LogPage {
    std::vector<Event> lines;
    std::int64_t total = 0;
  };
  [[nodiscard]] Task<Result<LogPage>> logs(JobId job, std::string min_level, std::int64_t tail,
                                           std::int64_t offset);

 private:
  db::Database& database_;
  Bus& bus_;
  const Clock& clock_;
  const std::int64_t keep_lines_;
  std::atomic<std::uint64_t> lines_{0};  // Appended by this process, on the threads of the database.
  Observer observer_;
  std::function<void(const Event&)> recorded_;
};

}  // namespace trawl::events
