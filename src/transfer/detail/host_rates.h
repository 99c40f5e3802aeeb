#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>

#include "transfer/token_bucket.h"

namespace trawl::transfer::detail {

// One bandwidth limit for each host, shared by all that is under way from there. On the loop; the buckets
// belong to the transfer thread.
class HostRates {
 public:
  // 0: no limit.
  explicit HostRates(std::int64_t bytes_per_second) : rate_(bytes_per_second) {}

  // Null when there is no limit.
  [[nodiscard]] std::shared_ptr<TokenBucket> of(const std::string& host);
  [[nodiscard]] std::size_t size() const { return buckets_.size(); }

 private:
  const std::int64_t rate_;
  std::map<std::string, std::weak_ptr<TokenBucket>> buckets_;
  std::size_t sweep_at_ = 64;
};

}  // namespace trawl::transfer::detail
