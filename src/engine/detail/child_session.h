#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>

#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/event.h"
#include "async/scope.h"
#include "engine/detail/fd.h"
#include "engine/detail/output.h"
#include "engine/detail/promises.h"
#include "engine/detail/protocol.h"
#include "engine/engine.h"

namespace trawl::engine {

// A forked child as this side sees it: shared by the Child handed out, the coroutines that read
// from it, and the engine that learns of its end. Whoever of them is last frees it.
class ChildSession : public std::enable_shared_from_this<ChildSession> {
 public:
  ChildSession(Scope& scope, asio::local::stream_protocol::socket channel,
               asio::posix::stream_descriptor output, Fd folder, Listener listener);

  // Starts the coroutines that read and write, and sends `begin`, the child's first message.
  void run(json::object begin);

  // From the host's reports. Until on_exited the group's number belongs to this child.
  void on_started(int pid);
  void on_not_started(std::string message);
  void on_exited(int signal, int status);
  // The host is gone, or goes: kills the group and fails everything with `error`.
  void on_host_lost(Error error);

  // What the child itself has said by then is left for the first stage to report.
  [[nodiscard]] Task<Result<void>> wait_started(SteadyTime deadline);
  // Sends the command and waits for its answer; see Child::transfer for the rest. A zero `quiet_limit` means
  // none.
  [[nodiscard]] Task<Result<ChildEvent>> stage(json::object command, std::chrono::seconds limit,
                                               std::chrono::seconds quiet_limit = {}, Keep keep = {});

  // Returns when the process has ended, which it is about to do; it is killed when it takes its time.
  [[nodiscard]] Task<void> ended();
  // SIGINT to the process alone, once: see Child::wind_up.
  void wind_up();
  // SIGTERM now, SIGKILL after 5 s; everything waiting fails with `why`, if nothing failed before.
  void terminate(Error why);
  // Nobody is interested any more: no more calls to the listener, SIGKILL.
  void abandon();

  [[nodiscard]] int pid() const { return pid_; }
  [[nodiscard]] bool exited() const { return exited_; }

 private:
  Task<void> read_channel();
  Task<void> write_channel();
  Task<void> read_output();
  Task<Result<std::string>> read_message();
  // Keeps an answer or tells the listener. Fails when the child breaks the protocol.
  [[nodiscard]] Result<void> take(ChildEvent event);
  [[nodiscard]] Result<void> take_promise(ChildEvent event);
  // Has the promises kept and tells the child, or ends it.
  Task<void> keep_promises(const Keep& keep, SteadyTime deadline);
  // Returns when the child is lost or the time has come.
  Task<void> lost_or(SteadyTime deadline);
  void send(const json::object& message);
  void log(LogLevel level, std::string message);
  void fail_with(Error error);
  void kill_group(int signal) const;
  Task<Error> crash_report();

  Scope& scope_;
  asio::local::stream_protocol::socket channel_;
  asio::posix::stream_descriptor output_;
  Fd folder_;  // Its work folder.
  Listener listener_;
  Event changed_;
  std::deque<std::string> outbox_;

  int pid_ = 0;
  bool exited_ = false;
  bool abandoned_ = false;
  bool winding_up_ = false;
  bool output_ended_ = false;
  int signal_ = 0;
  int status_ = 0;
  std::optional<Error> over_;  // Why no further stage can succeed.
  std::optional<ChildEvent> answer_;
  bool asked_ = false;   // A command waits for its answer.
  bool native_ = false;  // The command allows promises.
  Promises promises_;
  SteadyTime last_progress_{};
  OutputTail tail_;
  LineBudget budget_;
};

}  // namespace trawl::engine
