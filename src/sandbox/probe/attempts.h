#pragma once

#include <functional>
#include <string>
#include <vector>

// A program that tries to get out of the sandbox it is run in, and says what it reached.
namespace trawl::sandbox::probe {

struct Target {
  int proxy = 0;        // The port on 127.0.0.1 that may be reached.
  int canary = 0;       // A port on which every address of the machine listens, and which may not.
  std::string outside;  // A folder with files that may not be touched; tests/support/jail.py fills it.
  std::string socket;   // An AF_UNIX socket somebody listens on, and as "@name" an abstract one.
  std::string abstract_socket;
  int victim = 0;  // A process that may neither be looked into nor signalled.
  int races = 0;   // How often an address is changed under the guard's eyes.
};

// True when it got through. Each runs in a process of its own.
struct Attempt {
  std::string name;
  std::function<bool(const Target&)> gets_through;
};

[[nodiscard]] std::vector<Attempt> network_attempts();
[[nodiscard]] std::vector<Attempt> file_attempts();
// Gets through when a connection to the canary led to the proxy, asked for where the guard cannot look.
[[nodiscard]] std::vector<Attempt> hidden_attempts();
// What must go on working inside.
[[nodiscard]] std::vector<Attempt> permitted();
// Uses up `what` (memory, shared, processes, cpu, file, descriptors); returns when nothing stops it.
int use_up(const std::string& what);

}  // namespace trawl::sandbox::probe
