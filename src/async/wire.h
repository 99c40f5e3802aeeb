#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "async/task.h"
#include "base/result.h"

namespace trawl {

// Carries short texts between processes. Only ever a hint: what is sent may be lost or arrive twice,
// and whoever listens looks for itself from time to time.
class Wire {
 public:
  struct Ears {
    std::function<void(std::string)> heard;  // Every message, in this process' own ones as well.
    std::function<void()> missed;            // The link was down; anything may have been said meanwhile.
  };

  virtual ~Wire() = default;
  // From now on `ears` are called on the loop.
  virtual void start(Ears ears) = 0;
  // Never waits: what the link cannot carry now is dropped.
  virtual void send(std::string message) = 0;
  // While it is deaf nothing is taken from the link, where that leaves messages to others.
  virtual void deafen(bool deaf) = 0;
  virtual void stop() = 0;
};

// One connection of a wire, used on one thread. An error means that it is lost.
class WireLink {
 public:
  virtual ~WireLink() = default;
  [[nodiscard]] virtual Result<void> send(const std::vector<std::string>& messages) = 0;
  // Waits at most about `limit`, or until interrupt().
  [[nodiscard]] virtual Result<std::vector<std::string>> receive(std::chrono::milliseconds limit) = 0;
  // Called on another thread when the wire stops, for links that wait longer.
  virtual void interrupt() {}
};

// A wire over blocking connections: one thread sends, one listens, and each connects again after a
// loss. `name` is for the log.
using Connect = std::function<Result<std::unique_ptr<WireLink>>()>;
[[nodiscard]] std::unique_ptr<Wire> make_wire(asio::any_io_executor loop, std::string name, Connect sending,
                                              Connect listening);

}  // namespace trawl
