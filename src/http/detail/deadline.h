#pragma once

#include <chrono>
#include <memory>

#include <boost/asio/ip/tcp.hpp>

#include "async/task.h"

namespace trawl::http::detail {

// Ends a socket's waits when time runs out.
//
// Arming is cheap: the timer is only moved when the new time lies before the pending one, so a busy
// keep-alive connection touches it about once per limit. The wait that was cut short fails with
// operation_aborted; a wait begun just afterwards is not, so check passed() before each.
class Deadline {
 public:
  enum class Action { cancel, close };

  // `socket` outlives this.
  Deadline(asio::ip::tcp::socket& socket, Action action);
  ~Deadline();
  Deadline(const Deadline&) = delete;
  Deadline& operator=(const Deadline&) = delete;

  void arm(std::chrono::milliseconds limit);
  void disarm();
  // True from when the time ran out until the next arm().
  [[nodiscard]] bool passed() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace trawl::http::detail
