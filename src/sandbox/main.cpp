// trawl-sandbox guard -- PROGRAM ARGS   starts the engine host and stands guard over its children
// trawl-sandbox run ... -- PROGRAM ARGS  runs one program as an engine child is run

#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <string>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <vector>

#include <CLI/CLI.hpp>

#include "sandbox/confinement.h"
#include "sandbox/guard.h"

namespace trawl::sandbox {
namespace {

constexpr int kControl = 3;  // The host's control socket; its guard socket comes next to it.
constexpr int kGuard = 4;
constexpr int kCannotRun = 126;

struct Options {
  std::vector<std::string> program;
  std::string folder = ".";
  std::vector<std::string> readable;
  Confinement confinement;
};

int complain(const std::string& what) {
  std::fprintf(stderr, "trawl-sandbox: %s\n", what.c_str());
  return kCannotRun;
}

int become_program(const std::vector<std::string>& program) {
  std::vector<char*> arguments;
  for (const std::string& argument : program) arguments.push_back(const_cast<char*>(argument.c_str()));
  arguments.push_back(nullptr);
  ::execvp(arguments[0], arguments.data());
  return complain("cannot run " + program[0] + ": " + std::strerror(errno));
}

int exit_code(int status) {
  return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

// Both sides of a socket on which children register; none with a number the host's may have.
std::array<Descriptor, 2> guard_sockets() {
  int ends[2] = {-1, -1};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends) != 0) return {};
  const Descriptor ours(ends[0]), theirs(ends[1]);
  const int yes = 1;  // Before anybody can write: what was sent earlier has no sender.
  ::setsockopt(ours.get(), SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes);
  return {Descriptor(::fcntl(ours.get(), F_DUPFD_CLOEXEC, 10)),
          Descriptor(::fcntl(theirs.get(), F_DUPFD_CLOEXEC, 10))};
}

int guard(const Options& options) {
  auto [ours, theirs] = guard_sockets();
  if (theirs.get() < 0) return complain(std::string("no sockets: ") + std::strerror(errno));
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const pid_t self = ::getpid();
  const pid_t host = ::fork();
  if (host < 0) return complain(std::string("cannot fork: ") + std::strerror(errno));
  if (host == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
    if (::getppid() != self) ::_exit(1);
    ::dup2(theirs.get(), kGuard);
    ::_exit(become_program(options.program));
  }
  theirs = Descriptor();
  return exit_code(Guard(std::move(ours), kControl).watch(host));
}

void run_confined(const Options& options, int guard) {
  ::setpgid(0, 0);
  Confinement confinement = options.confinement;
  const std::vector<int> readable = open_readable(options.readable), devices = open_devices();
  confinement.readable = &readable;
  confinement.devices = &devices;
  confinement.guard = guard;
  confinement.output = STDERR_FILENO;
  confinement.folder = ::open(options.folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC);
  const auto done = confine(confinement);
  if (!done) ::_exit(complain(done.error().what));
  ::_exit(become_program(options.program));
}

int run(Options options) {
  auto [ours, theirs] = guard_sockets();
  if (theirs.get() < 0) return complain(std::string("no sockets: ") + std::strerror(errno));
  if (options.confinement.uid == 0) options.confinement.parts &= ~kUid;
  ::prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
  const pid_t child = ::fork();
  if (child < 0) return complain(std::string("cannot fork: ") + std::strerror(errno));
  if (child == 0) run_confined(options, theirs.get());
  theirs = Descriptor();
  return exit_code(Guard(std::move(ours), -1).watch(child));
}

}  // namespace
}  // namespace trawl::sandbox

int main(int argc, char** argv) {
  using namespace trawl::sandbox;
  Options options;
  Confinement& confinement = options.confinement;
  confinement.memory = std::uint64_t{2} << 30;
  confinement.file_size = std::uint64_t{40} << 30;
  confinement.descriptors = 256;
  confinement.processes = 256;

  CLI::App app("The sandbox of Trawl's engine children");
  app.require_subcommand(1);
  auto* guarding = app.add_subcommand("guard", "Start the engine host and stand guard over its children");
  auto* running = app.add_subcommand("run", "Run one program as an engine child is run");
  for (auto* command : {guarding, running})
    command->add_option("program", options.program, "Program and arguments, after --")->required();
  running->add_option("--folder", options.folder, "The work folder");
  running->add_option("--port", confinement.port, "127.0.0.1:PORT is the only address to connect to");
  running->add_option("--uid", confinement.uid, "Become this user; needs root");
  running->add_option("--read", options.readable, "A further path that may be read");
  running->add_option("--memory", confinement.memory, "Bytes of memory");
  running->add_option("--file-size", confinement.file_size, "Bytes of a file");
  running->add_option("--cpu", confinement.cpu_seconds, "Seconds of processor time of one process");
  running->add_option("--processes", confinement.processes, "Processes and threads");
  running->add_flag("--blind", confinement.blind, "Connect also where the guard cannot read the address");
  running->add_option("--landlock", confinement.landlock_abi, "Use no later version of Landlock");
  CLI11_PARSE(app, argc, argv);
  return guarding->parsed() ? guard(options) : run(std::move(options));
}
