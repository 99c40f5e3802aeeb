#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <vector>

#include "async/blocking_pool.h"
#include "async/event.h"
#include "async/scope.h"
#include "media/digest.h"
#include "transfer/budget.h"
#include "transfer/http_client.h"
#include "transfer/parallelism.h"
#include "transfer/segment_file.h"
#include "transfer/segment_keys.h"
#include "transfer/segment_sink.h"

namespace trawl::transfer {

// One run of move_segments(): fetches side by side, one writer that keeps the order.
//
// A segment whose turn it is when its request starts goes straight to disk; others wait in memory,
// within an allowance. One that finds no room there is asked for again when its turn has come.
class SegmentMove {
 public:
  struct Tools {
    HttpClient& client;
    BlockingPool& files;
    Budget& budget;
  };

  // All outlive the run. `stop` is this run's own: a failure sets it to end the other requests.
  SegmentMove(asio::any_io_executor executor, Tools tools, const media::Part& part, std::size_t index,
              SegmentFile& file, Stop stop);

  // Call once. Not to be cancelled through Asio.
  [[nodiscard]] Task<Result<std::optional<media::FileDigest>>> run();

 private:
  // A segment that has come: kept in memory, or with its length in the file already.
  struct Fetched {
    std::unique_ptr<BufferedSegment> buffered;
    std::int64_t length = 0;
  };
  using Wait = std::optional<std::chrono::seconds>;
  // Consecutive segments and where they belong.
  struct Batch {
    std::int64_t offset = 0;
    std::vector<std::unique_ptr<BufferedSegment>> segments;
  };

  void spawn(Task<void> task);
  [[nodiscard]] Task<void> guard(Task<void> task);
  [[nodiscard]] Task<void> start_fetches();
  [[nodiscard]] Task<void> fetch(std::size_t number);
  [[nodiscard]] Task<Result<Fetched>> fetch_with_retries(std::size_t number);
  // `wait`: what the origin's Retry-After said.
  [[nodiscard]] Task<Result<Fetched>> try_directly(std::size_t number, std::optional<SegmentKey> key,
                                                   Wait& wait);
  [[nodiscard]] Task<Result<Fetched>> try_buffered(std::size_t number, std::optional<SegmentKey> key,
                                                   Wait& wait);
  [[nodiscard]] Task<Result<void>> get(std::size_t number, SegmentOutput& output, Wait& wait);

  [[nodiscard]] Task<Result<void>> move();
  [[nodiscard]] Task<Result<std::optional<media::FileDigest>>> publish();
  [[nodiscard]] Task<void> write_in_order();
  [[nodiscard]] Batch take_ready();
  // Writes and hashes the batch, which ends at `end`.
  [[nodiscard]] Task<Result<PrefixHash>> write(Batch batch, std::int64_t end);
  [[nodiscard]] Task<void> checkpoint();
  void checkpoint_if_due();

  [[nodiscard]] bool may_start(std::size_t number) const;
  [[nodiscard]] bool ended() const { return failure_.has_value() || stop_.is_set(); }
  [[nodiscard]] bool is_dead(const Error& error) const;
  void end(Error error);
  void note_size(std::int64_t bytes);
  void estimate_total();

  Tools tools_;
  const media::Part& part_;
  const std::size_t index_;
  SegmentFile& file_;
  Stop stop_;
  SegmentKeys keys_;
  Scope scope_;
  Event changed_;

  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  Parallelism parallelism_;
  std::shared_ptr<BufferAllowance> allowance_;
  std::optional<Error> failure_;

  std::size_t running_ = 0;
  std::int64_t largest_ = 0;  // Of the segments that came, in bytes on the wire.
  std::int64_t bytes_ = 0;    // Of all segments that came in this run.
  std::size_t came_ = 0;      // Their number.
  std::map<std::size_t, Fetched> ready_;
  std::size_t turn_ = 0;             // The first segment that is not on its way to disk.
  std::int64_t offset_ = 0;          // Where it belongs.
  std::int64_t written_ = 0;         // The segments before this one are on disk,
  std::int64_t written_offset_ = 0;  // as this many bytes,
  PrefixHash hash_;                  // of which these are hashed, if that is asked for.

  bool checkpointing_ = false;
  std::int64_t checkpoint_offset_ = 0;
  std::chrono::steady_clock::time_point progressed_ = began_;  // When a segment came, or much of one.
  std::chrono::steady_clock::time_point checkpointed_ = began_;
};

}  // namespace trawl::transfer
