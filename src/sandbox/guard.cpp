#include "sandbox/guard.h"

#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <vector>

#include "sandbox/process_view.h"
#include "sandbox/registration.h"
#include "sandbox/watchdog.h"

namespace trawl::sandbox {
namespace {

constexpr std::int64_t kCheckMillis = 500;
constexpr std::int64_t kPatienceMillis =
    1000;  // A child that is well needs milliseconds; one that still starts never looks.
constexpr std::int64_t kLastMillis = 8000;

std::int64_t now_millis() {
  timespec now{};
  ::clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<std::int64_t>(now.tv_sec) * 1000 + now.tv_nsec / 1'000'000;
}

volatile sig_atomic_t passed_on_to = 0;

void pass_on(int signal) {
  const int saved = errno;
  if (passed_on_to > 0) ::kill(passed_on_to, signal);
  errno = saved;
}

// A packet with its descriptors and its sender.
struct Letter {
  Registration words;
  Descriptor listener, output;
  ucred sender{};
  bool whole = false;
};

Letter receive(int socket) {
  Letter out;
  int fds[2] = {-1, -1};
  alignas(cmsghdr) char ancillary[CMSG_SPACE(sizeof fds) + CMSG_SPACE(sizeof(ucred))];
  iovec part{&out.words, sizeof out.words};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary;
  message.msg_controllen = sizeof ancillary;
  const ssize_t size = ::recvmsg(socket, &message, MSG_CMSG_CLOEXEC | MSG_DONTWAIT);
  if (size < 0) return out;
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET) continue;
    if (header->cmsg_type == SCM_CREDENTIALS) std::memcpy(&out.sender, CMSG_DATA(header), sizeof out.sender);
    if (header->cmsg_type == SCM_RIGHTS)
      std::memcpy(fds, CMSG_DATA(header), std::min(sizeof fds, header->cmsg_len - CMSG_LEN(0)));
  }
  out.listener = Descriptor(fds[0]);
  out.output = Descriptor(fds[1]);
  out.whole = size == sizeof out.words && fds[0] >= 0 && out.sender.pid > 0;
  return out;
}

// Orphans of the jobs come to us as well. True when `child` is among those that ended.
bool reap(pid_t child, int& status) {
  for (int ended_how = 0;;) {
    const pid_t ended = ::waitpid(-1, &ended_how, WNOHANG);
    if (ended == child) status = ended_how;
    if (ended == child || ended <= 0) return ended == child;
  }
}

bool hung_up(int listener) {
  pollfd state{listener, POLLIN, 0};
  return ::poll(&state, 1, 0) == 1 && (state.revents & (POLLHUP | POLLERR)) != 0;
}

std::string in_mebibytes(std::uint64_t bytes) {
  return std::to_string(bytes >> 20) + " MiB";
}

}  // namespace

int Guard::watch(pid_t child) {
  passed_on_to = child;
  struct sigaction action{};
  action.sa_handler = pass_on;
  for (const int signal : {SIGTERM, SIGINT}) ::sigaction(signal, &action, nullptr);
  ::signal(SIGPIPE, SIG_IGN);

  const Descriptor alive(static_cast<int>(::syscall(SYS_pidfd_open, child, 0)));
  int status = 0;
  for (;;) {
    std::vector<pollfd> waits{{alive.get(), POLLIN, 0}, {socket_.get(), POLLIN, 0}};
    waits.push_back({patience_ends_ == 0 ? lifeline_ : -1, POLLRDHUP, 0});
    for (const auto& [listener, job] : jobs_) waits.push_back({listener, POLLIN, 0});
    ::poll(waits.data(), waits.size(), wait_time(child));

    if (reap(child, status)) break;
    if (waits[2].revents & (POLLHUP | POLLRDHUP)) patience_ends_ = now_millis() + kPatienceMillis;
    if (waits[1].revents & POLLIN) admit();
    for (std::size_t i = 3; i < waits.size(); ++i) {
      const auto job = jobs_.find(waits[i].fd);
      if (waits[i].revents == 0 || job == jobs_.end()) continue;
      if (!(waits[i].revents & POLLIN) || !answer_call(job->first, job->second.wards)) jobs_.erase(job);
    }
    if (now_millis() >= next_check_) check_usage();
  }
  passed_on_to = 0;
  for (auto& [listener, job] : jobs_) end(job, {});
  end_descendants();
  return status;
}

int Guard::wait_time(pid_t child) {
  const std::int64_t now = now_millis();
  if (patience_ends_ != 0 && now >= patience_ends_) {
    ::kill(child, SIGKILL);
    return static_cast<int>(kCheckMillis);
  }
  if (patience_ends_ != 0) return static_cast<int>(std::min(patience_ends_ - now, kCheckMillis));
  if (jobs_.empty()) return -1;
  return static_cast<int>(std::clamp<std::int64_t>(next_check_ - now, 0, kCheckMillis));
}

void Guard::admit() {
  Letter letter = receive(socket_.get());
  if (!letter.whole) return;
  const int listener = letter.listener.get();
  Job job{.listener = std::move(letter.listener),
          .output = std::move(letter.output),
          .wards = {.group = ::getpgid(letter.sender.pid),
                    .uid = letter.sender.uid,
                    .gid = letter.sender.gid,
                    .port = letter.words.port,
                    .blind = letter.words.blind != 0},
          .memory = letter.words.memory,
          .processes = letter.words.processes};
  if (jobs_.empty()) next_check_ = now_millis() + kCheckMillis;
  jobs_.insert_or_assign(listener, std::move(job));
}

void Guard::check_usage() {
  next_check_ = now_millis() + kCheckMillis;
  if (jobs_.empty()) return;
  std::map<pid_t, Usage> usage;
  for (const auto& [listener, job] : jobs_) usage[job.wards.group];
  measure(usage);
  for (auto& [listener, job] : jobs_) {
    const Usage& used = usage[job.wards.group];
    if (job.memory > 0 && used.memory > job.memory) {
      end(job, "its processes use " + in_mebibytes(used.memory) + " of memory, more than the " +
                   in_mebibytes(job.memory) + " of sandbox.memory_bytes");
    } else if (job.processes > 0 && used.processes > job.processes) {
      end(job, "it has " + std::to_string(used.processes) + " processes, more than " +
                   std::to_string(job.processes));
    }
  }
}

void Guard::end(Job& job, const std::string& why) {
  if (!why.empty() && !job.ended) {
    const std::string words = "the sandbox ends this download: " + why + "\n";
    pollfd ready{job.output.get(), POLLOUT, 0};
    if (job.output.get() >= 0 && ::poll(&ready, 1, 0) == 1)
      (void)!::write(job.output.get(), words.data(), words.size());
  }
  job.ended = true;
  // A listener without processes says that the number of the group may be somebody else's by now.
  if (job.wards.group > 1 && !hung_up(job.listener.get())) ::kill(-job.wards.group, SIGKILL);
}

// Whatever the child left, down to the last: we are the one that orphans come to.
void Guard::end_descendants() {
  const std::int64_t deadline = now_millis() + kLastMillis;
  const std::string children = "/proc/self/task/" + std::to_string(::getpid()) + "/children";
  while (now_millis() < deadline) {
    pid_t ended = 0;
    while ((ended = ::waitpid(-1, nullptr, WNOHANG)) > 0) continue;
    if (ended < 0) return;
    const std::string list = read_proc(children);
    for (const char* at = list.c_str(); *at != '\0';) {
      char* next = nullptr;
      const long pid = std::strtol(at, &next, 10);
      if (next == at) break;
      if (pid > 0) ::kill(static_cast<pid_t>(pid), SIGKILL);
      at = *next == ' ' ? next + 1 : next;
    }
    ::poll(nullptr, 0, 5);
  }
}

}  // namespace trawl::sandbox
