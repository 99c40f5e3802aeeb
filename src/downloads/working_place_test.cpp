#include "downloads/working_place.h"

#include <csignal>
#include <sys/wait.h>
#include <unistd.h>

#include <boost/asio/io_context.hpp>
#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;

// A process that computes until it gets SIGUSR1, and then waits for ever.
class Worker {
 public:
  Worker() : pid_(::fork()) {
    if (pid_ != 0) return;
    static volatile std::sig_atomic_t told = 0;
    std::signal(SIGUSR1, [](int) { told = 1; });
    while (told == 0) continue;
    while (true) ::pause();
  }
  ~Worker() {
    ::kill(pid_, SIGKILL);
    ::waitpid(pid_, nullptr, 0);
  }
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;
  [[nodiscard]] int pid() const { return pid_; }
  void rest() const { ::kill(pid_, SIGUSR1); }

 private:
  int pid_;
};

bool is_free(Semaphore& stage) {
  return stage.try_acquire().has_value();
}

TEST(WorkingPlace, IsHeldByWhoComputesAndGivenBackByWhoWaits) {
  const Worker worker;
  ASSERT_TRUE(processor_time_wanted(worker.pid()));
  asio::io_context context;
  Semaphore stage(context.get_executor(), 1);
  const WorkingPlace place(context.get_executor(), *stage.try_acquire(), worker.pid());
  context.run_for(500ms);
  EXPECT_FALSE(is_free(stage));
  worker.rest();
  context.restart();
  context.run_for(10s);  // Nothing is left to do once the place is free.
  EXPECT_TRUE(is_free(stage));
}

TEST(WorkingPlace, IsGivenBackWhenItIsDropped) {
  asio::io_context context;
  Semaphore stage(context.get_executor(), 1);
  {
    const WorkingPlace place(context.get_executor(), *stage.try_acquire(), ::getpid());
    EXPECT_FALSE(is_free(stage));
  }
  EXPECT_TRUE(is_free(stage));
  context.run();
}

}  // namespace
}  // namespace trawl::downloads
