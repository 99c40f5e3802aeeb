#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "db/database.h"
#include "jobs/breaker.h"
#include "jobs/job.h"

namespace trawl::jobs {

// A job in the hands of a worker.
struct Held {
  JobId job;
  State state = State::running;
  std::string worker, tenant, origin, phase;
  std::int64_t epoch = 0;
  SystemTime claimed_at, lease_until;
};

// What somebody has in the queue.
struct TenantQueue {
  std::string tenant;
  std::int64_t waiting = 0;  // queued, scheduled, retry_wait
  std::int64_t running = 0;  // running, cancelling
  std::int64_t paused = 0;
  std::optional<SystemTime> oldest;  // Creation of what waits longest.
};

// The queue as those who run the service look at it. Everything is read from the database, so that
// every process tells the same.
class Overview {
 public:
  explicit Overview(db::Database& database) : database_(database) {}

  [[nodiscard]] Task<Result<std::vector<Held>>> held();
  [[nodiscard]] Task<Result<std::vector<TenantQueue>>> tenants();
  [[nodiscard]] Task<Result<std::vector<Breaker>>> breakers();

 private:
  db::Database& database_;
};

}  // namespace trawl::jobs
