#include "db/detail/work_thread.h"

#include <boost/asio/post.hpp>
#include <fmt/format.h>

#include "base/log.h"

namespace trawl::db::detail {
namespace {

void resume_caller(Submission submission) {
  const asio::any_io_executor executor = submission.caller.get_executor();
  asio::post(executor, [submission = std::move(submission)]() mutable {
    std::move(submission.handler)(std::move(submission.failure));
  });
}

// The top frame of an action: one that throws must not take the loop down.
void run_action(const std::function<void()>& action) {
  try {
    action();
  } catch (const std::exception& error) {
    log_error("an action after a commit failed", {{"error", error.what()}});
  }
}

Error thrown(std::string_view what) {
  return fail(Errc::internal, fmt::format("the work given to the database threw: {}", what)).error();
}

}  // namespace

std::optional<Error> attempt(Work& work, Transaction& transaction) {
  try {
    return work(transaction);
  } catch (const std::exception& error) {
    return thrown(error.what());
  } catch (...) {
    return thrown("something that is no std::exception");
  }
}

WorkThreads::WorkThreads(std::size_t group_size, std::vector<RunGroup> run)
    : group_size_(group_size), run_(std::move(run)) {
  for (RunGroup& one : run_) threads_.emplace_back([this, &one] { work_until_closed(one); });
}

void WorkThreads::submit(Submission submission) {
  {
    const std::lock_guard lock(mutex_);
    if (!closed_ && waiting_.size() < kCapacity) {
      waiting_.push_back(std::move(submission));
      changed_.notify_one();
      return;
    }
    submission.failure =
        Error{Errc::unavailable, closed_ ? "the database is closed" : "the database is overloaded",
              closed_ ? "database_closed" : "database_overloaded"};
  }
  resume_caller(std::move(submission));
}

void WorkThreads::close() {
  {
    const std::lock_guard lock(mutex_);
    closed_ = true;
  }
  changed_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

std::vector<Submission> WorkThreads::take() {
  std::unique_lock lock(mutex_);
  changed_.wait(lock, [this] { return closed_ || !waiting_.empty(); });
  std::vector<Submission> group;
  while (!waiting_.empty() && group.size() < group_size_) {
    group.push_back(std::move(waiting_.front()));
    waiting_.pop_front();
  }
  return group;
}

void WorkThreads::work_until_closed(RunGroup& run) {
  while (true) {
    std::vector<Submission> group = take();
    if (group.empty()) return;
    run(std::move(group));
  }
}

void deliver(const asio::any_io_executor& loop, std::vector<Submission> group) {
  for (Submission& submission : group) {
    if (submission.failure) continue;
    for (auto& action : submission.on_commit) {
      asio::post(loop, [action = std::move(action)] { run_action(action); });
    }
  }
  for (Submission& submission : group) resume_caller(std::move(submission));
}

}  // namespace trawl::db::detail
