#include "transfer/detail/connection_caps.h"

#include <vector>

#include <gtest/gtest.h>

#include "async/run.h"
#include "async/scope.h"

namespace trawl::transfer::detail {
namespace {

using namespace std::chrono_literals;

class ConnectionCapsTest : public testing::Test {
 protected:
  // Notes its number when it got a place, and 0 when it did not.
  Task<void> queue(int number, std::string host) {
    const auto place = co_await caps.acquire(std::move(host), stop);
    came.push_back(place ? number : 0);
    while (place && !let_go) co_await changed.wait();
  }

  asio::io_context context;
  ConnectionCaps caps{context.get_executor(), {.total = 3, .per_host = 1, .patience = 100ms}};
  Event changed{context.get_executor()};
  Stop stop;
  bool let_go = false;
  std::vector<int> came;
};

TEST_F(ConnectionCapsTest, GivesPlacesInTheOrderTheyWereAskedFor) {
  Scope scope(context.get_executor());
  auto first = caps.try_acquire("a");
  let_go = true;
  for (const int number : {1, 2, 3}) scope.spawn("wait", queue(number, "a"));
  context.poll();
  EXPECT_FALSE(caps.try_acquire("a"));
  EXPECT_TRUE(caps.try_acquire("b"));
  EXPECT_TRUE(came.empty());
  first.reset();
  context.run();
  EXPECT_EQ(came, (std::vector{1, 2, 3}));
}

TEST_F(ConnectionCapsTest, WaitsNoLongerThanItsPatience) {
  Scope scope(context.get_executor());
  const auto first = caps.try_acquire("a");
  ASSERT_TRUE(first);
  const auto began = std::chrono::steady_clock::now();
  scope.spawn("wait", queue(1, "a"));
  context.run();
  EXPECT_EQ(came, std::vector{0});
  EXPECT_GE(std::chrono::steady_clock::now() - began, 100ms);
}

TEST_F(ConnectionCapsTest, WaitsNoLongerOnceItIsStopped) {
  Scope scope(context.get_executor());
  const auto first = caps.try_acquire("a");
  scope.spawn("wait", queue(1, "a"));
  scope.spawn("wait", queue(2, "b"));
  context.poll();
  EXPECT_EQ(came, std::vector{2});
  stop.set();
  let_go = true;
  changed.notify_all();
  context.run();
  EXPECT_EQ(came, (std::vector{2, 0}));
}

}  // namespace
}  // namespace trawl::transfer::detail
