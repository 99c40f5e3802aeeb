#pragma once

#include <chrono>
#include <memory>
#include <optional>

#include <boost/asio/steady_timer.hpp>

#include "async/semaphore.h"

namespace trawl::downloads {

// How long a process has run or waited for a processor so far, or nothing where the system does not say.
[[nodiscard]] std::optional<std::chrono::nanoseconds> processor_time_wanted(int pid);

// A place in a stage that is limited for the sake of the processors, held while `pid` computes. It goes back
// as soon as the process waits for something else, which is its origin, so that slow origins keep no place
// from others; what it computes after that is not limited again.
class WorkingPlace {
 public:
  WorkingPlace(asio::any_io_executor executor, Semaphore::Permit permit, int pid);
  WorkingPlace(const WorkingPlace&) = delete;
  WorkingPlace& operator=(const WorkingPlace&) = delete;
  ~WorkingPlace();

 private:
  struct State;
  static void look_later(std::shared_ptr<State> state);

  std::shared_ptr<State> state_;
};

}  // namespace trawl::downloads
