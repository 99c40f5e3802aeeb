#pragma once

#include <chrono>
#include <string>
#include <sys/types.h>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/task.h"
#include "base/result.h"
#include "engine/detail/fd.h"
#include "engine/detail/output.h"
#include "engine/engine.h"

namespace trawl::engine {

// The Python process, its control socket and its standard error; with a sandbox, the guard that the
// Python process runs under: it ends with it and in the same way.
//
// It runs in a session of its own with nothing open but its standard streams and the control socket.
class HostProcess {
 public:
  // Errc::unavailable, reason "engine_unavailable", when there is no Python or it cannot be started.
  [[nodiscard]] static Result<std::unique_ptr<HostProcess>> spawn(asio::any_io_executor executor,
                                                                  const EngineOptions& options);
  // Kills the process if it is still there. Its number is free again only when ended() has returned.
  ~HostProcess();
  HostProcess(const HostProcess&) = delete;
  HostProcess& operator=(const HostProcess&) = delete;

  // The next control message; Errc::unavailable when the host is gone or `deadline` passes.
  [[nodiscard]] Task<Result<std::string>> receive(SteadyTime deadline);
  // Sends a message with three descriptors. Errc::unavailable when the host does not take it.
  [[nodiscard]] Result<void> send(std::string_view text, const Fd& first, const Fd& second, const Fd& third);

  void kill();
  // Closing the control socket asks the host to end.
  void close_control();
  // True when the process has ended and been waited for before `limit` passed.
  [[nodiscard]] Task<bool> ended(std::chrono::milliseconds limit);

  // It was ended by a signal, whoever sent it. Known once it was waited for.
  [[nodiscard]] bool killed() const;

  [[nodiscard]] int pid() const { return pid_; }
  asio::posix::stream_descriptor& output() { return output_; }
  OutputTail& tail() { return tail_; }

 private:
  HostProcess(asio::any_io_executor executor, pid_t pid, Fd pidfd, Fd control, Fd output);

  pid_t pid_;
  bool waited_for_ = false;
  int status_ = 0;
  asio::posix::stream_descriptor pidfd_;
  asio::posix::stream_descriptor control_;
  asio::posix::stream_descriptor output_;
  OutputTail tail_;
};

}  // namespace trawl::engine
