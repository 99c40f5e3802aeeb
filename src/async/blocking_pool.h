#pragma once

#include <exception>
#include <optional>
#include <type_traits>
#include <utility>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/thread_pool.hpp>

#include "async/task.h"

namespace trawl {

// Threads for calls that block: files, hashing, DNS. Results come back on the caller's executor.
class BlockingPool {
 public:
  explicit BlockingPool(std::size_t threads) : threads_(threads) {}

  // Runs `work()` on a pool thread and returns what it returns (an exception is rethrown here).
  // Not cancellable: `work` always runs to its end, so what it touches must live that long.
  template <class F, class R = std::invoke_result_t<F>>
  [[nodiscard]] Task<R> run(F work) {
    if constexpr (std::is_void_v<R>) {
      co_await run([&work] { return work(), true; });
    } else {
      auto result = co_await asio::async_initiate<decltype(asio::use_awaitable),
                                                  void(std::exception_ptr, std::optional<R>)>(
          [this, &work](auto handler) {
            auto executor = asio::get_associated_executor(handler);
            asio::post(threads_, [&work, executor, handler = std::move(handler)]() mutable {
              std::exception_ptr failure;
              std::optional<R> out;
              try {
                out.emplace(work());
              } catch (...) {
                failure = std::current_exception();
              }
              asio::post(executor, [handler = std::move(handler), failure, out = std::move(out)]() mutable {
                std::move(handler)(failure, std::move(out));
              });
            });
          },
          asio::use_awaitable);
      co_return std::move(*result);
    }
  }

  // Waits for running work and stops the threads.
  void join() { threads_.join(); }

 private:
  asio::thread_pool threads_;
};

}  // namespace trawl
