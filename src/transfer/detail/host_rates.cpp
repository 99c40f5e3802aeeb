#include "transfer/detail/host_rates.h"

#include <algorithm>

namespace trawl::transfer::detail {

std::shared_ptr<TokenBucket> HostRates::of(const std::string& host) {
  if (rate_ <= 0) return nullptr;
  if (buckets_.size() >= sweep_at_) {
    std::erase_if(buckets_, [](const auto& entry) { return entry.second.expired(); });
    sweep_at_ = std::max<std::size_t>(64, 2 * buckets_.size());
  }
  auto& kept = buckets_[host];
  auto bucket = kept.lock();
  if (!bucket) kept = bucket = std::make_shared<TokenBucket>(rate_);
  return bucket;
}

}  // namespace trawl::transfer::detail
