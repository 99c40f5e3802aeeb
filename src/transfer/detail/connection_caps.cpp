#include "transfer/detail/connection_caps.h"

#include <boost/asio/post.hpp>

namespace trawl::transfer::detail {

class ConnectionCaps::Waiting {
 public:
  Waiting(ConnectionCaps& owner, std::string host)
      : owner_(owner),
        host_(std::move(host)),
        queue_(owner.waiting_[host_]),
        at_(queue_.emplace(queue_.end())) {}
  Waiting(const Waiting&) = delete;
  Waiting& operator=(const Waiting&) = delete;
  ~Waiting() {
    queue_.erase(at_);
    if (queue_.empty()) owner_.waiting_.erase(host_);
    owner_.changed_->notify_all();
  }

  [[nodiscard]] bool is_next() const { return at_ == queue_.begin(); }

 private:
  ConnectionCaps& owner_;
  const std::string host_;
  Queue& queue_;
  const Queue::iterator at_;
};

bool ConnectionCaps::is_free(const std::string& host) const {
  const auto used = used_.find(host);
  return free_ > 0 && (used == used_.end() || used->second < limits_.per_host);
}

ConnectionCaps::Place ConnectionCaps::take(const std::string& host) {
  --free_;
  ++used_[host];
  return {*this, host};
}

std::optional<ConnectionCaps::Place> ConnectionCaps::try_acquire(const std::string& host) {
  if (!is_free(host) || waiting_.contains(host)) return std::nullopt;
  return take(host);
}

Task<std::optional<ConnectionCaps::Place>> ConnectionCaps::acquire(std::string host, Stop stop) {
  if (stop.is_set()) co_return std::nullopt;
  if (auto place = try_acquire(host)) co_return std::move(*place);
  const auto wake = stop.on_set([executor = executor_, changed = changed_] {
    asio::post(executor, [changed] { changed->notify_all(); });
  });
  const auto until = std::chrono::steady_clock::now() + limits_.patience;
  const Waiting turn(*this, host);
  while (!stop.is_set()) {
    if (turn.is_next() && is_free(host)) co_return take(host);
    const auto left = until - std::chrono::steady_clock::now();
    if (left.count() <= 0) break;
    co_await changed_->wait_for(left);
  }
  co_return std::nullopt;
}

void ConnectionCaps::release(const std::string& host) {
  ++free_;
  const auto used = used_.find(host);
  if (--used->second == 0) used_.erase(used);
  changed_->notify_all();
}

}  // namespace trawl::transfer::detail
