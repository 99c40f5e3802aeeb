#pragma once

#include <condition_variable>
#include <deque>
#include <functional>
#include <mutex>
#include <optional>
#include <thread>
#include <vector>

#include <boost/asio/any_completion_handler.hpp>
#include <boost/asio/executor_work_guard.hpp>

#include "async/task.h"
#include "base/result.h"
#include "db/database.h"

namespace trawl::db::detail {

// A piece of work on its way to a thread of the database and back to its caller.
struct Submission {
  Work work;
  bool reads_only = false;
  asio::any_completion_handler<void(std::optional<Error>)> handler;
  asio::executor_work_guard<asio::any_io_executor> caller;  // Keeps its loop running until the answer.
  std::optional<Error> failure = {};
  std::vector<std::function<void()>> on_commit = {};
};

// Runs `work`; what it throws becomes an error.
[[nodiscard]] std::optional<Error> attempt(Work& work, Transaction& transaction);

// Posts the on_commit actions of those that did not fail to `loop`, then resumes every caller on its
// own executor, where the work is also destroyed.
void deliver(const asio::any_io_executor& loop, std::vector<Submission> group);

// Threads that take what is waiting, in groups, in order of arrival.
class WorkThreads {
 public:
  static constexpr std::size_t kCapacity = 16'384;
  // Runs every submission of the group, sets the failure of those that failed, and delivers them.
  using RunGroup = std::move_only_function<void(std::vector<Submission>)>;

  // One thread for each of `run`.
  WorkThreads(std::size_t group_size, std::vector<RunGroup> run);
  ~WorkThreads() { close(); }

  // Completes with unavailable after close(), or when kCapacity are waiting.
  void submit(Submission submission);

  // Runs what is waiting and ends the threads. Not to be called on one of them.
  void close();

 private:
  void work_until_closed(RunGroup& run);
  [[nodiscard]] std::vector<Submission> take();

  const std::size_t group_size_;
  std::vector<RunGroup> run_;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Submission> waiting_;
  bool closed_ = false;

  std::vector<std::thread> threads_;
};

}  // namespace trawl::db::detail
