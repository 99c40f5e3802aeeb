#include "downloads/housekeeping.h"

#include "base/log.h"
#include "downloads/records.h"

namespace trawl::downloads {

using namespace std::chrono_literals;

void Housekeeping::start() {
  scope_.spawn("clear work folders", clear_ended_jobs());
  scope_.spawn("sweep the storage", sweep_regularly());
  if (record_time_ > 0s) scope_.spawn("forget old records", forget_regularly());
}

Task<void> Housekeeping::clear_ended_jobs() {
  auto events = bus_.subscribe(std::nullopt);
  while (true) {
    const auto event = co_await events->next(1h);
    if (events->lagged()) events = bus_.subscribe(std::nullopt);  // The sweep finds what was missed.
    if (!event || event->type != events::Type::status || !event->data.at("final").as_bool()) continue;
    co_await storage_.discard_stage(event->job, event->data.at("epoch").to_number<std::int64_t>());
  }
}

Task<void> Housekeeping::sweep_regularly() {
  while (true) {
    const auto removed = co_await storage_.sweep();
    if (!removed)
      log_error("the storage could not be swept", {{"error", removed.error().message}});
    else if (*removed > 0)
      log_info("removed what expired or was left behind", {{"count", *removed}});
    co_await sleep_for(60s);
  }
}

Task<void> Housekeeping::forget_regularly() {
  while (true) {
    const auto forgotten = co_await forget_records(database_, clock_.now() - record_time_);
    if (!forgotten)
      log_error("old records could not be forgotten", {{"error", forgotten.error().message}});
    else if (*forgotten > 0)
      log_info("forgot downloads that ended long ago", {{"count", *forgotten}});
    // A long backlog goes in small steps, which keep nobody waiting for the database.
    co_await sleep_for(forgotten && *forgotten > 0 ? 1s : 60s);
  }
}

}  // namespace trawl::downloads
