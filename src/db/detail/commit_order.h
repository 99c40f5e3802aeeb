#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <mutex>
#include <optional>

#include "db/detail/work_thread.h"

namespace trawl::db::detail {

// Delivers works of several connections in the order of their commits.
//
// A work takes its number before it commits, with its locks held, so of two that wrote the same row
// the first has the lower one. A commit that hangs holds the others up for kOvertake at most.
class CommitOrder {
 public:
  static constexpr std::chrono::milliseconds kOvertake{500};

  explicit CommitOrder(asio::any_io_executor loop) : loop_(std::move(loop)) {}

  [[nodiscard]] std::uint64_t take();
  // To be called once for each number, also after a failed commit.
  void settled(std::uint64_t number, Submission submission);

 private:
  struct Entry {
    std::chrono::steady_clock::time_point taken;
    std::optional<Submission> settled;
  };

  const asio::any_io_executor loop_;
  std::mutex mutex_;
  std::uint64_t next_ = 0;
  std::map<std::uint64_t, Entry> open_;
};

}  // namespace trawl::db::detail
