#include "transfer/detail/file_hash.h"

#include <algorithm>

namespace trawl::transfer::detail {
namespace {

constexpr std::int64_t kWorthwhile = 1024 * 1024;
constexpr std::int64_t kAtOnce = 4 * 1024 * 1024;  // Then another file has its turn.

}  // namespace

void FileHash::start(PrefixHash from) {
  done_ = from;
  started_ = true;
  hashed_(0);
  hashed_(done_.bytes());
  scope_.spawn("hash", follow());
}

void FileHash::forget() {
  ++generation_;
  done_ = {};
  if (started_) hashed_(0);
}

void FileHash::complete(std::int64_t total) {
  total_ = total;
  look();
}

Task<std::string> FileHash::digest() {
  if (!started_ || !total_) co_return "";
  co_await scope_.join();
  co_return failed_ ? "" : done_.digest();
}

Task<void> FileHash::end() {
  ended_ = true;
  look();
  co_await scope_.join();
}

// Where hashing can go now; done_.bytes() when it has to wait.
std::int64_t FileHash::next_stop() const {
  const std::int64_t at = done_.bytes();
  if (total_) return std::min(*total_, at + kAtOnce);
  const std::int64_t written = hashable(prefix_());
  return written - at < kWorthwhile ? at : std::min(written, at + kAtOnce);
}

Task<void> FileHash::follow() {
  while (!ended_ && !failed_ && done_.bytes() != total_) {
    const std::int64_t until = next_stop();
    if (until <= done_.bytes()) {
      co_await look_.wait();
      continue;
    }
    const int generation = generation_;
    const auto next = co_await files_.run([this, hash = done_, until]() mutable -> Result<PrefixHash> {
      if (auto read = hash.advance(file_.descriptor(), until); !read) return fail(read.error());
      return hash;
    });
    if (generation != generation_) continue;
    failed_ = !next;
    if (!next) co_return;
    done_ = *next;
    hashed_(done_.bytes());
  }
}

}  // namespace trawl::transfer::detail
