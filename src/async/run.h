#pragma once

#include <exception>
#include <optional>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>

#include "async/task.h"

namespace trawl {

// Runs `task` to its end on `context` from plain code: main() and tests.
template <class T>
T run_to_end(asio::io_context& context, Task<T> task) {
  std::exception_ptr failure;
  context.restart();
  if constexpr (std::is_void_v<T>) {
    asio::co_spawn(context, std::move(task), [&](std::exception_ptr e) { failure = e, context.stop(); });
    context.run();
    if (failure) std::rethrow_exception(failure);
  } else {
    std::optional<T> out;
    asio::co_spawn(context, std::move(task), [&](std::exception_ptr e, T value) {
      failure = e;
      if (!e) out.emplace(std::move(value));
      context.stop();
    });
    context.run();
    if (failure) std::rethrow_exception(failure);
    return std::move(*out);
  }
}

}  // namespace trawl
