#pragma once

#include <chrono>
#include <map>
#include <string>

#include "async/scope.h"
#include "db/database.h"
#include "events/bus.h"
#include "webhooks/poster.h"

namespace trawl::webhooks {

// Tells listeners of progress: at most one POST a second and one in flight for each job, not kept and
// not repeated, because the next one says it better. Everything else goes through the outbox.
class ProgressNotes {
 public:
  ProgressNotes(asio::any_io_executor executor, events::Bus& bus, db::Database& database,
                const Poster& poster)
      : bus_(bus), database_(database), poster_(poster), scope_(executor) {}

  void start() { scope_.spawn("progress webhooks", watch()); }
  [[nodiscard]] Task<void> stop() { return scope_.close(); }

 private:
  struct Watched {
    std::string webhook_url;  // Empty: nobody listens.
    std::string url;
    std::chrono::steady_clock::time_point next{};
    bool in_flight = false;
  };

  Task<void> watch();
  Task<void> look_up(JobId job);
  Task<void> tell(events::Event event, Watched listener);

  events::Bus& bus_;
  db::Database& database_;
  const Poster& poster_;
  std::map<JobId, Watched> jobs_;  // Those that are running and were heard of.
  Scope scope_;
};

}  // namespace trawl::webhooks
