#include "engine/detail/host_process.h"

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include <boost/asio/experimental/awaitable_operators.hpp>
#include <boost/asio/steady_timer.hpp>
#include <fmt/format.h>

#include "base/text.h"

namespace trawl::engine {
namespace {

constexpr int kControlFd = 3;
constexpr std::size_t kMaxControl = 4096;

std::unexpected<Error> unavailable(std::string message) {
  return fail(Errc::unavailable, std::move(message), "engine_unavailable");
}

std::unexpected<Error> system_failure(std::string_view what, int error) {
  return unavailable(fmt::format("{}: {}", what, std::strerror(error)));
}

Result<std::filesystem::path> find_python(const EngineOptions& options) {
  if (!options.python.empty()) {
    if (::access(options.python.c_str(), X_OK) == 0) return options.python;
    return unavailable(
        fmt::format("{} cannot be run; set engine.python to a Python 3", options.python.string()));
  }
  if (::access("/usr/bin/python3", X_OK) == 0) return "/usr/bin/python3";
  for (const auto folder : split(options.search_path, ':')) {
    const auto candidate = std::filesystem::path(folder) / "python3";
    if (::access(candidate.c_str(), X_OK) == 0) return candidate;
  }
  return unavailable("there is no python3; install Python 3 and yt-dlp, or set engine.python");
}

std::string config_of(const EngineOptions& options) {
  json::array plugins;
  for (const auto& folder : options.plugin_dirs) plugins.emplace_back(folder.string());
  return json::serialize(json::object{{"ytdlp_path", options.ytdlp_path.string()},
                                      {"plugin_dirs", plugins},
                                      {"ffmpeg", options.ffmpeg.string()},
                                      {"ca_file", options.ca_file.string()},
                                      {"remux", options.remux_path.string()},
                                      {"sandbox", encode(options.sandbox)}});
}

// posix_spawn applies its actions in order: a source that has the number of a later target would be
// overwritten.
Result<Fd> above_targets(int fd) {
  Fd high(::fcntl(fd, F_DUPFD_CLOEXEC, 10));
  if (high.get() < 0) return system_failure("cannot duplicate a descriptor", errno);
  return high;
}

class SpawnSettings {
 public:
  SpawnSettings(int control, int output) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawn_file_actions_addopen(&actions_, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_adddup2(&actions_, output, 1);
    posix_spawn_file_actions_adddup2(&actions_, output, 2);
    posix_spawn_file_actions_adddup2(&actions_, control, kControlFd);
    posix_spawn_file_actions_addclosefrom_np(&actions_, kControlFd + 1);
    sigset_t none, all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_init(&attributes_);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_,
                             POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  ~SpawnSettings() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  SpawnSettings(const SpawnSettings&) = delete;
  SpawnSettings& operator=(const SpawnSettings&) = delete;

  posix_spawn_file_actions_t actions_;
  posix_spawnattr_t attributes_;
};

Result<pid_t> spawn_python(const EngineOptions& options, int control, int output) {
  auto python = find_python(options);
  if (!python) return fail(python.error());
  if (!std::filesystem::exists(options.host_script)) {
    return unavailable(
        fmt::format("{} is missing; the installation is incomplete", options.host_script.string()));
  }
  const auto high_control = above_targets(control);
  const auto high_output = above_targets(output);
  if (!high_control) return fail(high_control.error());
  if (!high_output) return fail(high_output.error());
  const SpawnSettings settings(high_control->get(), high_output->get());
  std::vector<std::string> command;
  if (options.sandbox) command = {options.host_script.parent_path() / "trawl-sandbox", "guard", "--"};
  command.insert(command.end(), {python->string(), "-I", options.host_script.string(), config_of(options)});
  std::vector<char*> arguments;
  for (std::string& argument : command) arguments.push_back(argument.data());
  arguments.push_back(nullptr);
  std::string path = "PATH=" + options.search_path, locale = "LANG=C.UTF-8";
  std::array<char*, 3> environment{path.data(), locale.data(), nullptr};
  pid_t pid = 0;
  const int error = posix_spawn(&pid, arguments[0], &settings.actions_, &settings.attributes_,
                                arguments.data(), environment.data());
  if (error != 0) return system_failure("cannot start " + command[0], error);
  return pid;
}

}  // namespace

Result<std::unique_ptr<HostProcess>> HostProcess::spawn(asio::any_io_executor executor,
                                                        const EngineOptions& options) {
  std::array<int, 2> ends{}, pipe{};
  if (::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()) != 0) {
    return system_failure("cannot make a socket pair", errno);
  }
  Fd control(ends[0]), control_of_host(ends[1]);
  if (::pipe2(pipe.data(), O_CLOEXEC) != 0) return system_failure("cannot make a pipe", errno);
  Fd output(pipe[0]), output_of_host(pipe[1]);

  const auto pid = spawn_python(options, control_of_host.get(), output_of_host.get());
  if (!pid) return fail(pid.error());
  Fd pidfd(static_cast<int>(::syscall(SYS_pidfd_open, *pid, 0)));
  if (pidfd.get() < 0) {
    const int error = errno;
    ::kill(*pid, SIGKILL);
    ::waitpid(*pid, nullptr, 0);
    return system_failure("cannot watch the engine host", error);
  }
  return std::unique_ptr<HostProcess>(
      new HostProcess(std::move(executor), *pid, std::move(pidfd), std::move(control), std::move(output)));
}

HostProcess::HostProcess(asio::any_io_executor executor, pid_t pid, Fd pidfd, Fd control, Fd output)
    : pid_(pid),
      pidfd_(executor, pidfd.release()),
      control_(executor, control.release()),
      output_(executor, output.release()) {
  control_.non_blocking(true);
}

HostProcess::~HostProcess() {
  if (waited_for_) return;
  kill();
  ::waitpid(pid_, nullptr, 0);  // Killed: this does not wait for anything it does.
}

Task<Result<std::string>> HostProcess::receive(SteadyTime deadline) {
  using namespace asio::experimental::awaitable_operators;
  std::string text(kMaxControl, '\0');
  for (;;) {
    const auto size = ::recv(control_.native_handle(), text.data(), text.size(), MSG_DONTWAIT);
    if (size > 0) {
      text.resize(static_cast<std::size_t>(size));
      co_return text;
    }
    if (size == 0 || (errno != EAGAIN && errno != EINTR)) co_return unavailable("the engine host is gone");
    asio::steady_timer timer(co_await asio::this_coro::executor, deadline);
    const auto first = co_await (control_.async_wait(asio::posix::stream_descriptor::wait_read, as_result) ||
                                 timer.async_wait(as_result));
    if (first.index() == 1) co_return unavailable("the engine host does not answer");
  }
}

Result<void> HostProcess::send(std::string_view text, const Fd& first, const Fd& second, const Fd& third) {
  const std::array<int, 3> fds{first.get(), second.get(), third.get()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof fds)> ancillary{};
  iovec part{const_cast<char*>(text.data()), text.size()};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary.data();
  message.msg_controllen = ancillary.size();
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(sizeof fds);
  std::memcpy(CMSG_DATA(header), fds.data(), sizeof fds);
  if (::sendmsg(control_.native_handle(), &message, MSG_NOSIGNAL | MSG_DONTWAIT) < 0) {
    return system_failure("the engine host takes no request", errno);
  }
  return {};
}

void HostProcess::kill() {
  if (!waited_for_) ::kill(pid_, SIGKILL);
}

void HostProcess::close_control() {
  ::shutdown(control_.native_handle(), SHUT_RDWR);
}

Task<bool> HostProcess::ended(std::chrono::milliseconds limit) {
  using namespace asio::experimental::awaitable_operators;
  if (waited_for_) co_return true;
  asio::steady_timer timer(co_await asio::this_coro::executor, limit);
  co_await (pidfd_.async_wait(asio::posix::stream_descriptor::wait_read, as_result) ||
            timer.async_wait(as_result));
  waited_for_ = ::waitpid(pid_, &status_, WNOHANG) == pid_;
  co_return waited_for_;
}

// The guard of the sandbox ends with 128 and the signal of what it guarded, as a shell does.
bool HostProcess::killed() const {
  return waited_for_ && (WIFSIGNALED(status_) || WEXITSTATUS(status_) > 128);
}

}  // namespace trawl::engine
