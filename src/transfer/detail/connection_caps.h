#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>
#include <utility>

#include "async/event.h"
#include "async/task.h"
#include "transfer/stop.h"

namespace trawl::transfer::detail {

// At most so many requests at once in the process and to one host. Used on the loop only.
class ConnectionCaps {
 public:
  ConnectionCaps(asio::any_io_executor executor, std::size_t total, std::size_t per_host)
      : changed_(std::make_shared<Event>(executor)), executor_(executor), free_(total), per_host_(per_host) {}

  // Gives its place back when dropped.
  class Place {
   public:
    Place() = default;
    Place(ConnectionCaps& owner, std::string host) : owner_(&owner), host_(std::move(host)) {}
    Place(Place&& other) noexcept
        : owner_(std::exchange(other.owner_, nullptr)), host_(std::move(other.host_)) {}
    Place& operator=(Place&&) = delete;
    ~Place() {
      if (owner_) owner_->release(host_);
    }

   private:
    ConnectionCaps* owner_ = nullptr;
    std::string host_;
  };

  // Waits for a place; returns without one once `stop` is set.
  [[nodiscard]] Task<Place> acquire(std::string host, Stop stop);

 private:
  [[nodiscard]] bool is_free(const std::string& host) const;
  void release(const std::string& host);

  std::shared_ptr<Event> changed_;  // Shared with wake-ups that are still on their way.
  asio::any_io_executor executor_;
  std::size_t free_;
  std::size_t per_host_;
  std::map<std::string, std::size_t> used_;
};

}  // namespace trawl::transfer::detail
