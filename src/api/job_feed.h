#pragma once

#include <chrono>
#include <deque>

#include "api/views.h"
#include "downloads/downloads.h"
#include "http/message.h"

namespace trawl::api {

// One message to a watcher (docs/websocket.md).
struct FeedItem {
  std::int64_t seq = 0;  // Of a recorded event; of `snapshot` the newest one it knows of; 0 for others.
  json::object message;  // {"type": ...}
};

// An event of a job as watchers are told it.
[[nodiscard]] FeedItem feed_item(const events::Event& event, SystemTime now);

// Says whether somebody who opened a stream may still have it: keys are revoked while streams go on.
using StillAdmitted = std::function<Task<bool>(http::Caller)>;

// Everything that happens to one download, in its order: first `connected`, then `snapshot`, then what is
// recorded, with progress in between. Ends after the final status. What the bus did not bring, because the
// watcher is slow or another node wrote it, is read from the log: only progress is ever left out.
class JobFeed {
 public:
  JobFeed(downloads::Downloads& downloads, const Clock& clock, const ViewContext& context, JobId job,
          asio::any_io_executor executor)
      : downloads_(downloads), clock_(clock), context_(context), job_(job), stopped_event_(executor) {}

  // To be called first. With `last_seq` everything recorded after it comes before anything new.
  [[nodiscard]] Task<Result<void>> begin(std::optional<std::int64_t> last_seq);
  // The next message; nothing when none came within `patience`, or when the feed is over. One at a time.
  [[nodiscard]] Task<Result<std::optional<FeedItem>>> next(std::chrono::steady_clock::duration patience);

  // The final status has been given out.
  [[nodiscard]] bool ended() const { return last_ && waiting_.empty(); }
  [[nodiscard]] bool stopped() const { return stopped_; }
  // There is a message that next() need not wait for.
  [[nodiscard]] bool ready() const { return !waiting_.empty(); }
  // A next() that waits returns.
  void stop();
  // begin() found that the watcher has seen the end already: nothing will come but the snapshot.
  [[nodiscard]] bool seen_all() const { return seen_all_; }

 private:
  [[nodiscard]] Task<Result<std::int64_t>> newest_seq();
  [[nodiscard]] Task<Result<void>> read_log();
  void take(const events::Event& event);

  downloads::Downloads& downloads_;
  const Clock& clock_;
  const ViewContext& context_;
  JobId job_;
  std::shared_ptr<events::Subscription> subscription_;
  std::deque<FeedItem> waiting_;  // At most what one look into the log gives.
  std::int64_t sent_ = 0;
  bool behind_ = true;  // The log holds what has not been given out.
  bool last_ = false;
  bool seen_all_ = false;
  bool stopped_ = false;
  Event stopped_event_;
};

}  // namespace trawl::api
