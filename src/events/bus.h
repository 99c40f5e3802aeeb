#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>

#include "async/event.h"
#include "async/task.h"
#include "base/clock.h"
#include "base/describe.h"
#include "base/id.h"
#include "base/json.h"

namespace trawl::events {

enum class Type { status, log, progress };

struct Event {
  std::int64_t seq = 0;  // Grows over all jobs; 0 for progress, which is not recorded.
  JobId job;
  Type type = Type::log;
  SystemTime at;
  // status: {status, phase?, message, error_code?, final: bool}; log: {level, message};
  // progress: what the job's progress object holds.
  json::object data;
  bool elsewhere = false;  // Heard of from another node (relay.h).
};

// What one watcher has not yet seen. Bounded: of progress only the newest is kept per job, in the
// place of the one it replaces, and a watcher that lets more than 256 recorded events wait is cut
// off (`lagged`): what waited is dropped, it comes back by last_seq. One coroutine waits at a time.
class Subscription {
 public:
  static constexpr std::size_t kCapacity = 256;

  Subscription(asio::any_io_executor executor, std::optional<JobId> job) : job_(job), arrived_(executor) {}

  // The next event, or nothing after `limit`, or at once when lagged.
  [[nodiscard]] Task<std::optional<Event>> next(std::chrono::steady_clock::duration limit);
  [[nodiscard]] bool lagged() const { return lagged_; }

 private:
  friend class Bus;
  void offer(const Event& event);
  void cut_off();
  bool replace_progress(const Event& event);

  std::optional<JobId> job_;  // Empty: all jobs.
  std::deque<Event> waiting_;
  std::size_t recorded_ = 0;  // How many of `waiting_` are not progress.
  bool lagged_ = false;
  trawl::Event arrived_;
};

// Tells watchers in this process what just happened, here and, with a relay, on other nodes. A hint
// only: the log is the truth.
// Used on one executor.
class Bus {
 public:
  // Of how many jobs the progress is kept; the one heard of longest ago gives way.
  static constexpr std::size_t kProgressCapacity = 4096;

  explicit Bus(asio::any_io_executor executor) : executor_(executor) {}

  void publish(const Event& event);

  // Watches one job, or all of them; ends when the returned object is dropped.
  [[nodiscard]] std::shared_ptr<Subscription> subscribe(std::optional<JobId> job);

  // Called with every event that is published here; empty for nobody. Events from elsewhere are not
  // told, so that two nodes do not send them to and fro.
  void tap(std::function<void(const Event&)> tap) { tap_ = std::move(tap); }
  // Makes every watcher look into the log, as after a lag: events may have been missed.
  void cut_off_all();

  // The newest progress published for a running job, if any.
  [[nodiscard]] std::optional<json::object> progress_of(const JobId& job) const;

 private:
  void remember(const Event& event);

  asio::any_io_executor executor_;
  std::function<void(const Event&)> tap_;
  std::list<std::weak_ptr<Subscription>> subscriptions_;
  std::map<JobId, Event> progress_;  // Dropped with the job's final status.
};

}  // namespace trawl::events

template <>
struct trawl::EnumText<trawl::events::Type> {
  static constexpr std::pair<trawl::events::Type, std::string_view> names[] = {
      {trawl::events::Type::status, "status"},
      {trawl::events::Type::log, "log"},
      {trawl::events::Type::progress, "progress"}};
};
