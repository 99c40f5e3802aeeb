#include "server/browser_cookies.h"

#include <algorithm>
#include <csignal>
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fmt/format.h>

namespace trawl::server {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

constexpr std::size_t kMostBytes = 8 << 20;

// Not a path: profiles are looked for only where the browser keeps them.
bool profile_name(std::string_view text) {
  const auto allowed = [](unsigned char c) {
    return (c < 0x80 && std::isalnum(c) != 0) || std::string_view("._- ").contains(static_cast<char>(c));
  };
  return text.size() <= 200 && !text.starts_with('.') && std::ranges::all_of(text, allowed);
}

// What a child writes until it closes its output, at most kMostBytes and for at most `limit`.
std::string read_all(int descriptor, std::chrono::milliseconds limit) {
  const auto deadline = steady_clock::now() + limit;
  std::string out, block(65536, '\0');
  while (out.size() < kMostBytes) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(deadline - steady_clock::now());
    pollfd waiting{.fd = descriptor, .events = POLLIN, .revents = 0};
    if (left <= 0ms || ::poll(&waiting, 1, static_cast<int>(left.count())) != 1) break;
    const ssize_t size = ::read(descriptor, block.data(), block.size());
    if (size <= 0) break;
    out.append(block, 0, static_cast<std::size_t>(size));
  }
  return out;
}

// Runs a command with its standard output captured and everything else shut; empty when it failed.
std::string output_of(std::vector<std::string> command) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return {};
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::vector<char*> argv;
  for (std::string& word : command) argv.push_back(word.data());
  argv.push_back(nullptr);
  pid_t child = 0;
  const int failed = ::posix_spawn(&child, argv[0], &actions, nullptr, argv.data(), environ);
  posix_spawn_file_actions_destroy(&actions);
  ::close(ends[1]);
  std::string out;
  if (failed == 0) {
    out = read_all(ends[0], 60s);
    ::kill(child, SIGKILL);  // Harmless when it has ended, which it has unless it took too long.
    int status = 0;
    ::waitpid(child, &status, 0);
  }
  ::close(ends[0]);
  return out;
}

}  // namespace

Result<std::vector<access::BrowserCookie>> browser_cookies(const engine::EngineOptions& engine,
                                                           const std::string& browser,
                                                           const std::string& profile) {
  if (!profile_name(profile))
    return fail(Errc::invalid, "profile must be the name of a profile, not a path", "validation_error");
  const auto script = engine.host_script.parent_path() / "browser_cookies.py";
  const std::string python = engine.python.empty() ? "/usr/bin/python3" : engine.python.string();
  const std::string out =
      output_of({python, "-I", script.string(), engine.ytdlp_path.string(), browser, profile});
  if (out.empty())
    return fail(Errc::invalid, fmt::format("the cookies of {} cannot be read on this machine", browser),
                "browser_unreadable");
  return access::parse_cookies(out);
}

}  // namespace trawl::server
