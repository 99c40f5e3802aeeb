#include "async/event.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace trawl {

Task<void> sleep_for(std::chrono::steady_clock::duration time) {
  asio::steady_timer timer(co_await asio::this_coro::executor, time);
  co_await timer.async_wait(asio::use_awaitable);
}

Task<void> Event::wait_for(std::chrono::steady_clock::duration limit) {
  using namespace asio::experimental::awaitable_operators;
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  co_await (timer_.async_wait(as_result) || timer.async_wait(as_result));
}

}  // namespace trawl
