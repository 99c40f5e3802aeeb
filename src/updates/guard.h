#pragma once

#include <cstdint>

namespace trawl::updates {

// How attempts with one yt-dlp ended, as far as that says something about it.
struct Record {
  std::int64_t completed = 0;
  std::int64_t failed = 0;
};

// Whether `now` fails so much more often than `before` that the release is to be taken back: after ten
// attempts, more than 30 points above; without a record of the one before, more than half.
[[nodiscard]] bool has_jumped(const Record& now, const Record& before);

}  // namespace trawl::updates
