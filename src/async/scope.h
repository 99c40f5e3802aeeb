#pragma once

#include <list>
#include <string>

#include <boost/asio/cancellation_signal.hpp>

#include "async/event.h"
#include "async/task.h"

namespace trawl {

// Owns background coroutines: nothing spawned here outlives it.
//
// Used on one executor only. A task that ends with an exception is logged under its name; one that
// ends because the scope closes is not.
class Scope {
 public:
  explicit Scope(asio::any_io_executor executor) : executor_(executor), idle_(executor) {}
  ~Scope();  // close() must have finished, or nothing be running.
  Scope(const Scope&) = delete;
  Scope& operator=(const Scope&) = delete;

  void spawn(std::string name, Task<void> task);

  // Cancels every task's current wait and returns when all have ended. Later spawns are refused.
  [[nodiscard]] Task<void> close();
  // Returns when all tasks have ended by themselves.
  [[nodiscard]] Task<void> join();

  [[nodiscard]] std::size_t size() const { return running_.size(); }
  [[nodiscard]] bool closing() const { return closing_; }

 private:
  asio::any_io_executor executor_;
  Event idle_;
  std::list<asio::cancellation_signal> running_;
  bool closing_ = false;
};

}  // namespace trawl
