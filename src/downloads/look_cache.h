#pragma once

#include <chrono>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <string>

#include "async/event.h"
#include "async/task.h"
#include "base/result.h"

namespace trawl::downloads {

// Remembers what sites said for a while. Who asks while another is asking the same gets the same answer:
// a site is asked once. Bounded by the bytes of keys and values; what was used longest ago goes first.
// Used on one executor.
class LookCache {
 public:
  using Time = std::chrono::steady_clock::time_point;
  struct Limits {
    std::chrono::seconds keep{300};       // 0: nothing is remembered; asking together still is.
    std::chrono::seconds keep_errors{5};  // Of those that asking again would give again.
    std::size_t bytes = 32 << 20;
  };
  using Value = std::shared_ptr<const std::string>;
  using Make = std::function<Task<Result<std::string>>()>;

  LookCache(
      asio::any_io_executor executor, Limits limits,
      std::function<Time()> now = [] { return std::chrono::steady_clock::now(); })
      : executor_(executor), limits_(limits), now_(std::move(now)) {}

  // What is known under `key`, or what `make` gives. Whoever may not share an answer has another key.
  [[nodiscard]] Task<Result<Value>> get(std::string key, Make make);

  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  struct Entry {
    explicit Entry(asio::any_io_executor executor) : changed(executor) {}
    std::optional<Result<Value>> answer;  // Empty while somebody asks.
    Time until;
    std::size_t cost = 0;
    std::list<std::string>::iterator used = {};
    Event changed;
  };
  using Entries = std::map<std::string, std::shared_ptr<Entry>, std::less<>>;

  void keep(const std::string& key, Entry& entry);
  void forget(Entries::iterator place);

  asio::any_io_executor executor_;
  Limits limits_;
  std::function<Time()> now_;
  Entries entries_;
  std::list<std::string> used_;  // Keys of answered entries, the newest use in front.
  std::size_t bytes_ = 0;
};

}  // namespace trawl::downloads
