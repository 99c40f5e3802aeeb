#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <span>
#include <thread>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include "async/task.h"
#include "base/result.h"
#include "db/database.h"

namespace trawl::db::detail {

// A piece of work on its way to the database's thread and back to its caller.
struct Submission {
  Work work;
  asio::any_completion_handler<void(std::optional<Error>)> handler;
  asio::executor_work_guard<asio::any_io_executor> caller;  // Keeps its loop running until the answer.
  std::optional<Error> failure = {};
  std::vector<std::function<void()>> on_commit = {};
};

// A thread that takes what is waiting, in groups, in order of arrival.
//
// When a group has run, the on_commit actions of those that did not fail are posted to `loop`, then
// every caller is resumed on its own executor, where the work is also destroyed.
class WorkThread {
 public:
  static constexpr std::size_t kCapacity = 16'384;
  // Runs every submission of the group and sets the failure of those that failed.
  using RunGroup = std::move_only_function<void(std::span<Submission>)>;

  WorkThread(asio::any_io_executor loop, std::size_t group_size, RunGroup run);
  ~WorkThread() { close(); }

  // Completes with unavailable after close(), or when kCapacity are waiting.
  void submit(Submission submission);

  // Runs what is waiting and ends the thread. Not to be called on that thread.
  void close();

 private:
  void work_until_closed();
  [[nodiscard]] std::vector<Submission> take();
  void deliver(std::vector<Submission> group);

  const asio::any_io_executor loop_;
  const std::size_t group_size_;
  RunGroup run_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Submission> waiting_;
  bool closed_ = false;

  std::thread thread_;
};

}  // namespace trawl::db::detail
