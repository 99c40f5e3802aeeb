#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <sys/wait.h>
#include <unistd.h>

#include "sandbox/probe/attempts.h"

using namespace trawl::sandbox::probe;

namespace {

constexpr int kThrough = 42;
constexpr unsigned kSeconds = 200;  // 100,000 races on a busy machine.

// "name: refused", "name: THROUGH" or "name: HUNG".
void run(const Attempt& attempt, const Target& target) {
  std::fflush(stdout);
  const pid_t child = fork();
  if (child < 0) {
    std::printf("%s: CANNOT FORK\n", attempt.name.c_str());
    return;
  }
  if (child == 0) {
    alarm(kSeconds);
    _exit(attempt.gets_through(target) ? kThrough : 0);
  }
  int status = 0;
  waitpid(child, &status, 0);
  const char* result = "refused";
  if (WIFEXITED(status) && WEXITSTATUS(status) == kThrough) result = "THROUGH";
  if (WIFSIGNALED(status) && WTERMSIG(status) == SIGALRM) result = "HUNG";
  std::printf("%s: %s\n", attempt.name.c_str(), result);
}

std::string text(const char* name) {
  const char* value = std::getenv(name);
  return value ? value : "";
}

}  // namespace

int main(int argc, char** argv) {
  const std::string what = argc > 1 ? argv[1] : "";
  const Target target{.proxy = std::atoi(text("PROXY").c_str()),
                      .canary = std::atoi(text("CANARY").c_str()),
                      .outside = text("OUTSIDE"),
                      .socket = text("SOCKET"),
                      .abstract_socket = text("ABSTRACT"),
                      .victim = std::atoi(text("VICTIM").c_str()),
                      .races = std::atoi(text("RACES").c_str())};
  std::vector<Attempt> attempts;
  if (what == "network") attempts = network_attempts();
  if (what == "files") attempts = file_attempts();
  if (what == "hidden") attempts = hidden_attempts();
  if (what == "permitted") attempts = permitted();
  if (attempts.empty()) return use_up(what);
  for (const Attempt& attempt : attempts) run(attempt, target);
  return 0;
}
