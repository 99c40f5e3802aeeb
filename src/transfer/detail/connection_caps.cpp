#include "transfer/detail/connection_caps.h"

#include <boost/asio/post.hpp>

namespace trawl::transfer::detail {

bool ConnectionCaps::is_free(const std::string& host) const {
  const auto used = used_.find(host);
  return free_ > 0 && (used == used_.end() || used->second < per_host_);
}

Task<ConnectionCaps::Place> ConnectionCaps::acquire(std::string host, Stop stop) {
  if (!is_free(host)) {
    const auto wake = stop.on_set([executor = executor_, changed = changed_] {
      asio::post(executor, [changed] { changed->notify_all(); });
    });
    while (!is_free(host) && !stop.is_set()) co_await changed_->wait();
  }
  if (stop.is_set()) co_return Place();
  --free_;
  ++used_[host];
  co_return Place(*this, std::move(host));
}

void ConnectionCaps::release(const std::string& host) {
  ++free_;
  const auto used = used_.find(host);
  if (--used->second == 0) used_.erase(used);
  changed_->notify_all();
}

}  // namespace trawl::transfer::detail
