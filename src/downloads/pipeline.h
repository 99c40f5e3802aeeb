#pragma once

#include <chrono>

#include "access/cookie_store.h"
#include "async/semaphore.h"
#include "base/clock.h"
#include "db/database.h"
#include "downloads/engine_request.h"
#include "downloads/extractor_outcomes.h"
#include "engine/engine.h"
#include "jobs/worker.h"
#include "media/digest.h"
#include "media/options.h"
#include "media/plan.h"
#include "net/egress_proxy.h"
#include "storage/storage.h"
#include "transfer/mover.h"

namespace trawl::downloads {

struct PipelineLimits {
  std::size_t resolving = 4;  // Stages that need a processor, at once.
  std::size_t finishing = 2;
  std::chrono::seconds timeout{1800};       // Of one attempt, unless the request says.
  std::chrono::seconds quiet_timeout{300};  // Without any progress.
  std::int64_t max_bytes = 0;               // Of one download; 0: no limit.
  std::int64_t rate_limit = 0;              // Bytes per second of one download; 0: no limit.
  int origin_retries = 3;
  bool native = true;                                // Move the bytes ourselves where that is possible,
  std::size_t connections = 16;                      // with at most so many connections for one download.
  std::filesystem::path cookies_file;                // Netscape format, for every download; may be empty.
  std::chrono::seconds live_poll{60};                // Between looks for a live stream that has not begun.
  std::chrono::seconds live_silence{120};            // After which the recording of a live stream ends.
  std::string sponsorblock_api;                      // Empty: the public one.
  std::optional<std::chrono::seconds> retention;     // Empty: artifacts are kept.
  std::function<void(const Attempted&)> on_attempt;  // One has run to its end.

  [[nodiscard]] transfer::MoveLimits of_move(std::string proxy) const {
    return {.max_bytes = max_bytes,
            .bytes_per_second = rate_limit,
            .connections = connections,
            .retries = origin_retries,
            .proxy = std::move(proxy)};
  }
};

// What an attempt leaves to the next one.
struct Checkpoint {
  std::optional<media::Plan> plan;
  bool transferred = false;                // Every part is in the work folder.
  std::vector<media::FileDigest> digests;  // Of parts, as far as they were made on the way.
};
BOOST_DESCRIBE_STRUCT(Checkpoint, (), (plan, transferred, digests))

// Runs one download through its four stages: resolve, transfer, finish, publish. Each stage's result
// is a checkpoint, so that an attempt goes on where the last one ended.
class Pipeline {
 public:
  Pipeline(asio::any_io_executor executor, engine::Engine& engine, net::EgressProxy& proxy,
           net::UpstreamPool& upstreams, transfer::Mover& mover, storage::ArtifactStore& storage,
           access::CookieStore& cookies, BlockingPool& files, db::Database& database, const Clock& clock,
           PipelineLimits limits)
      : engine_(engine),
        proxy_(proxy),
        upstreams_(upstreams),
        mover_(mover),
        storage_(storage),
        cookies_(cookies),
        files_(files),
        database_(database),
        clock_(clock),
        limits_(limits),
        resolving_(executor, limits.resolving),
        finishing_(executor, limits.finishing) {}

  [[nodiscard]] Task<jobs::Outcome> run(jobs::Run& run);

 private:
  class Attempt;

  engine::Engine& engine_;
  net::EgressProxy& proxy_;
  net::UpstreamPool& upstreams_;
  transfer::Mover& mover_;
  storage::ArtifactStore& storage_;
  access::CookieStore& cookies_;
  BlockingPool& files_;
  db::Database& database_;
  const Clock& clock_;
  PipelineLimits limits_;
  Semaphore resolving_, finishing_;
};

}  // namespace trawl::downloads
