#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "async/event.h"
#include "async/task.h"
#include "transfer/stop.h"

namespace trawl::transfer::detail {

// At most so many requests at once in the process and to one host. Used on the loop only.
class ConnectionCaps {
 public:
  struct Limits {
    std::size_t total = 1;
    std::size_t per_host = 1;
    std::chrono::steady_clock::duration patience{};
  };

  ConnectionCaps(asio::any_io_executor executor, Limits limits)
      : changed_(std::make_shared<Event>(executor)),
        executor_(executor),
        limits_(limits),
        free_(limits.total) {}

  // Gives its place back when dropped.
  class Place {
   public:
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

  // Waits for a place behind those who wait for the same host already; returns without one when `stop` is
  // set or its patience is at an end.
  [[nodiscard]] Task<std::optional<Place>> acquire(std::string host, Stop stop);
  // Only what is free and nobody waits for.
  [[nodiscard]] std::optional<Place> try_acquire(const std::string& host);

 private:
  using Queue = std::list<int>;
  // Leaves its queue when dropped.
  class Waiting;

  [[nodiscard]] bool is_free(const std::string& host) const;
  [[nodiscard]] Place take(const std::string& host);
  void release(const std::string& host);

  std::shared_ptr<Event> changed_;  // Shared with wake-ups that are still on their way.
  asio::any_io_executor executor_;
  const Limits limits_;
  std::size_t free_;
  std::map<std::string, std::size_t> used_;
  std::map<std::string, Queue> waiting_;
};

}  // namespace trawl::transfer::detail
