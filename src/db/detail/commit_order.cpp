#include "db/detail/commit_order.h"

namespace trawl::db::detail {

using std::chrono::steady_clock;

std::uint64_t CommitOrder::take() {
  const std::lock_guard lock(mutex_);
  open_.emplace(next_, Entry{steady_clock::now(), std::nullopt});
  return next_++;
}

void CommitOrder::settled(std::uint64_t number, Submission submission) {
  const std::lock_guard lock(mutex_);  // Held while posting, so that the order stays.
  open_.at(number).settled.emplace(std::move(submission));
  const auto overtaken = steady_clock::now() - kOvertake;
  for (auto it = open_.begin(); it != open_.end();) {
    if (!it->second.settled) {
      if (it->second.taken > overtaken) return;
      ++it;
      continue;
    }
    std::vector<Submission> one;
    one.push_back(std::move(*it->second.settled));
    it = open_.erase(it);
    deliver(loop_, std::move(one));
  }
}

}  // namespace trawl::db::detail
