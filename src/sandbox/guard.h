#pragma once

#include <functional>
#include <map>
#include <string>
#include <sys/types.h>

#include "sandbox/broker.h"
#include "sandbox/descriptor.h"

namespace trawl::sandbox {

// Stands outside of the sandboxes: connects for them, ends those that use too much, and, when its own
// child has ended, everything that child started.
class Guard {
 public:
  // `socket`: where confined children register (SOCK_SEQPACKET, with
  // SO_PASSCRED). `lifeline`: when its other side is
  // closed the child gets a second to end by itself; -1: none.
  Guard(Descriptor socket, int lifeline) : socket_(std::move(socket)), lifeline_(lifeline) {}

  // Returns how `child`, a process of ours, ended, as waitpid() says it. Until then SIGTERM is passed on to
  // it.
  [[nodiscard]] int watch(pid_t child);

 private:
  struct Job {
    Descriptor listener;
    Descriptor output;
    Wards wards;
    std::uint64_t memory = 0;
    std::uint32_t processes = 0;
    bool ended = false;
  };

  void admit();
  void check_usage();
  void end(Job& job, const std::string& why);
  [[nodiscard]] int wait_time(pid_t child);
  static void end_descendants();

  Descriptor socket_;
  int lifeline_;
  std::map<int, Job> jobs_;  // By the number of their listener.
  std::int64_t next_check_ = 0;
  std::int64_t patience_ends_ = 0;  // When the child is killed; 0: not decided.
};

}  // namespace trawl::sandbox
