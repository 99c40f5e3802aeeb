#include <thread>

#include <gtest/gtest.h>

#include "async/blocking_pool.h"
#include "async/run.h"
#include "async/scope.h"
#include "async/semaphore.h"
#include "base/result.h"

namespace trawl {
namespace {

using namespace std::chrono_literals;

TEST(Scope, CloseCancelsWaitsAndReturnsOnlyWhenEveryTaskHasEnded) {
  asio::io_context context;
  bool cleaned_up = false;
  run_to_end(context, [&]() -> Task<void> {
    Scope scope(context.get_executor());
    scope.spawn("sleeper", [](bool& done) -> Task<void> {
      struct Mark {
        bool& flag;
        ~Mark() { flag = true; }
      } mark{done};
      co_await sleep_for(1h);
    }(cleaned_up));
    co_await asio::post(context, asio::use_awaitable);
    co_await scope.close();
    EXPECT_TRUE(cleaned_up);
    EXPECT_EQ(scope.size(), 0u);
  }());
}

TEST(Scope, JoinWaitsForTasksToEndByThemselves) {
  asio::io_context context;
  run_to_end(context, [&]() -> Task<void> {
    Scope scope(context.get_executor());
    int ended = 0;
    for (int i = 0; i < 3; ++i) {
      scope.spawn("short", [](int& count) -> Task<void> {
        co_await sleep_for(1ms);
        ++count;
      }(ended));
    }
    co_await scope.join();
    EXPECT_EQ(ended, 3);
  }());
}

TEST(BlockingPool, RunsElsewhereAndComesBackToTheCallersThread) {
  asio::io_context context;
  BlockingPool pool(2);
  const auto here = std::this_thread::get_id();
  run_to_end(context, [&]() -> Task<void> {
    const auto there = co_await pool.run([] { return std::this_thread::get_id(); });
    EXPECT_NE(there, here);
    EXPECT_EQ(std::this_thread::get_id(), here);
    const Result<int> failed = co_await pool.run([]() -> Result<int> { return fail(Errc::timeout, "late"); });
    EXPECT_EQ(failed.error().code, Errc::timeout);
    EXPECT_THROW(co_await pool.run([]() -> int { throw std::runtime_error("bug"); }), std::runtime_error);
  }());
}

TEST(Event, WakesAWaiterOrGivesUpAtTheLimit) {
  asio::io_context context;
  run_to_end(context, [&]() -> Task<void> {
    Event event(context.get_executor());
    Scope scope(context.get_executor());
    bool woken = false;
    scope.spawn("waiter", [](Event& e, bool& flag) -> Task<void> {
      co_await e.wait_for(1h);
      flag = true;
    }(event, woken));
    co_await asio::post(context, asio::use_awaitable);
    event.notify_all();
    co_await scope.join();
    EXPECT_TRUE(woken);
    co_await event.wait_for(1ms);
  }());
}

TEST(Semaphore, LetsNoMoreInThanItHasPermitsAndTakesThemBack) {
  asio::io_context context;
  run_to_end(context, [&]() -> Task<void> {
    Semaphore semaphore(context.get_executor(), 2);
    Scope scope(context.get_executor());
    int inside = 0, most = 0, done = 0;
    for (int i = 0; i < 6; ++i) {
      scope.spawn("holder", [](Semaphore& gate, int& now, int& peak, int& count) -> Task<void> {
        const auto permit = co_await gate.acquire();
        peak = std::max(peak, ++now);
        co_await sleep_for(1ms);
        --now;
        ++count;
      }(semaphore, inside, most, done));
    }
    co_await asio::post(context, asio::use_awaitable);
    co_await scope.join();
    EXPECT_EQ(done, 6);
    EXPECT_EQ(most, 2);
    EXPECT_TRUE(semaphore.try_acquire());
  }());
}

}  // namespace
}  // namespace trawl
