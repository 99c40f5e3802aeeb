#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "async/semaphore.h"
#include "async/task.h"
#include "base/result.h"
#include "media/plan.h"
#include "transfer/origin_memory.h"
#include "transfer/stop.h"
#include "transfer/token_bucket.h"

namespace trawl::transfer {

struct MoveLimits {
  std::int64_t max_bytes = 0;         // Of all parts together, counted as they arrive; 0: no limit.
  std::int64_t bytes_per_second = 0;  // Of all parts together; 0: no limit.
  std::size_t connections = 16;       // Of all parts together.
  int retries = 3;                    // Of one request, with jittered back-off.
  std::string proxy;                  // As Request::proxy, of all requests.
};

// What the parts of one download share.
class Budget {
 public:
  // `origins` outlives the move it is used for; null: nothing is remembered.
  Budget(asio::any_io_executor executor, MoveLimits limits, std::size_t parts,
         OriginMemory* origins = nullptr);

  // A request holds a permit while it is under way.
  Semaphore connections;

  // How many connections one part should open at most, so that all parts move at once.
  [[nodiscard]] std::size_t connections_per_part() const;

  // Counts bytes against max_bytes, those of an earlier attempt included; false: the limit is passed.
  // Any thread.
  [[nodiscard]] bool take_bytes(std::int64_t bytes);
  void give_back(std::int64_t bytes) { (void)taken_.fetch_sub(bytes); }
  // False: a part of this length cannot fit, so nothing of it needs to be asked for. Any thread.
  [[nodiscard]] bool fits(std::int64_t length) const {
    return limits_.max_bytes == 0 || length <= limits_.max_bytes;
  }

  // Progress; `bytes` is negative when a part starts over. Any thread.
  void add(std::size_t part, std::int64_t bytes);
  void set_total(std::size_t part, std::optional<std::int64_t> total);

  // Waits before the `attempt`th retry (from 1) of a request: as long as the origin asked for, or
  // 0.5 s x 3^n with jitter. Fails with Errc::cancelled when stopped, and with `why` when the
  // retries are used up or the origin asks for more than a minute.
  [[nodiscard]] Task<Result<void>> back_off(std::size_t part, int attempt,
                                            std::optional<std::chrono::seconds> retry_after, Error why,
                                            Stop stop);

  // What the origin asked for when back_off() failed for that part; for whoever tries again later.
  [[nodiscard]] std::optional<std::chrono::seconds> told_to_wait(std::size_t part) const {
    return parts_[part].told_to_wait;
  }

  // How far all parts are; never less than the call before said. On the loop.
  [[nodiscard]] media::Progress progress(std::chrono::steady_clock::time_point now);

  // How many bytes of a part are hashed, from the beginning on (Mover::Listener::on_hashed). On the loop.
  void on_hashed(std::function<void(std::size_t part, std::int64_t bytes)> told) {
    on_hashed_ = std::move(told);
  }
  void hashed(std::size_t part, std::int64_t bytes) const {
    if (on_hashed_) on_hashed_(part, bytes);
  }

  [[nodiscard]] const MoveLimits& limits() const { return limits_; }
  [[nodiscard]] OriginMemory* origins() const { return origins_; }
  // For Request::shared_rate; null when there is no limit.
  [[nodiscard]] const std::shared_ptr<TokenBucket>& rate() const { return rate_; }

 private:
  struct Part {
    std::atomic<std::int64_t> bytes = 0;
    std::atomic<std::int64_t> total = -1;
    std::optional<std::chrono::seconds> told_to_wait;  // On the loop.
  };

  void smooth(std::int64_t bytes, std::chrono::steady_clock::time_point now);

  const MoveLimits limits_;
  OriginMemory* const origins_;
  std::function<void(std::size_t, std::int64_t)> on_hashed_;
  std::shared_ptr<TokenBucket> rate_;
  std::atomic<std::int64_t> taken_ = 0;
  std::vector<Part> parts_;
  std::int64_t shown_ = 0;
  std::int64_t measured_bytes_ = 0;
  std::optional<std::chrono::steady_clock::time_point> measured_;
  std::optional<double> speed_;
};

}  // namespace trawl::transfer
