#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <string>
#include <vector>

#include "async/blocking_pool.h"
#include "async/task.h"
#include "base/result.h"
#include "media/digest.h"
#include "media/part.h"
#include "media/plan.h"
#include "transfer/budget.h"
#include "transfer/http_client.h"

namespace trawl::transfer {

// Moves the parts of one download into a folder, resuming what an earlier attempt left there.
//
// Each part is written to "<name>.trawl" with a journal "<name>.journal" beside it and renamed to its
// name when it is complete and synced, so a file under its own name is always whole. Parts move at
// once, sharing the connections. An optional part that cannot be had is left out. Errors carry the reasons of
// docs/engine-protocol.md
// ("origin_forbidden", "not_found", "rate_limited", ...), or "too_large", "no_space", "truncated".
class Mover {
 public:
  Mover(HttpClient& client, BlockingPool& files) : client_(client), files_(files) {}

  struct Listener {
    std::function<void(const media::Progress&)> on_progress;
    // The origin whose refusal ended the move asked to be left alone for so long (Retry-After).
    std::function<void(std::chrono::seconds)> on_told_to_wait;
    // How many bytes of a part that asked for a digest have been written and hashed, from the beginning on.
    // They stay as they are, unless 0 is told: then it begins anew.
    std::function<void(const std::string& part, std::int64_t bytes)> on_hashed;
  };
  // The name of a part's file until it is whole.
  [[nodiscard]] static std::string unfinished(const std::string& part) { return part + ".trawl"; }
  // The digests of parts that asked for one; a part that an earlier attempt completed has none.
  using Digests = std::vector<media::FileDigest>;
  // `stop` ends it with Errc::cancelled, keeping part files and journals.
  [[nodiscard]] Task<Result<Digests>> move(std::vector<media::Part> parts, std::filesystem::path folder,
                                           MoveLimits limits, Listener listener, const Stop& stop);

 private:
  HttpClient& client_;
  BlockingPool& files_;
  OriginMemory origins_;
};

}  // namespace trawl::transfer
