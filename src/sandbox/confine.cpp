#include <algorithm>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/securebits.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/confinement.h"
#include "sandbox/registration.h"

namespace trawl::sandbox {
namespace {

constexpr int kLastCapability = 63;

void limit(int kind, rlim_t soft, rlim_t hard) {
  rlimit now{};
  ::getrlimit(static_cast<__rlimit_resource>(kind), &now);
  const rlimit wanted{std::min(soft, now.rlim_max), std::min(hard, now.rlim_max)};
  ::setrlimit(static_cast<__rlimit_resource>(kind), &wanted);
}

void limit(int kind, rlim_t value) {
  if (value > 0) limit(kind, value, value);
}

// Not RLIMIT_AS: JavaScript engines reserve address space they never touch by the terabyte.
void set_limits(const Confinement& c) {
  limit(RLIMIT_CORE, 0, 0);
  limit(RLIMIT_MSGQUEUE, 0, 0);
  limit(RLIMIT_DATA, c.memory);
  limit(RLIMIT_FSIZE, c.file_size);
  limit(RLIMIT_NOFILE, c.descriptors);
  if (c.cpu_seconds > 0) limit(RLIMIT_CPU, c.cpu_seconds, c.cpu_seconds + 1);
  // Counted over all processes of the user: a limit only where the user is this job's alone.
  if (c.parts & kUid) limit(RLIMIT_NPROC, c.processes);
}

void drop_bounding_set() {
  for (int capability = 0; capability <= kLastCapability; ++capability)
    ::prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
  ::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
}

Done drop_capabilities() {
  ::prctl(PR_SET_SECUREBITS, SECBIT_NOROOT | SECBIT_NOROOT_LOCKED, 0, 0, 0);
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3]{};
  if (::syscall(SYS_capset, &header, none) != 0) return trouble(kFilter, "dropping capabilities", errno);
  return {};
}

Done become(uid_t uid) {
  if (::setgroups(0, nullptr) != 0) return trouble(kUid, "dropping groups", errno);
  if (::setresgid(uid, uid, uid) != 0 || ::setresuid(uid, uid, uid) != 0)
    return trouble(kUid, "becoming user " + std::to_string(uid) + " (sandbox.first_uid)", errno);
  return {};
}

Done set_attributes() {
  // A change of user clears both: the end of the parent is to end us, and the guard is to read us.
  if (::prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) != 0 || ::prctl(PR_SET_DUMPABLE, 1, 0, 0, 0) != 0)
    return trouble(kFilter, "process attributes", errno);
  if (::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0) return trouble(kFilter, "no_new_privs", errno);
  return {};
}

Done register_at(const Confinement& c, int listener) {
  Registration words{.memory = c.memory,
                     .processes = c.processes,
                     .port = c.port,
                     .blind = static_cast<std::uint16_t>(c.blind)};
  const int fds[2] = {listener, c.output};
  const std::size_t bytes = (c.output >= 0 ? 2 : 1) * sizeof(int);
  alignas(cmsghdr) char ancillary[CMSG_SPACE(sizeof fds)]{};
  iovec part{&words, sizeof words};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = ancillary;
  message.msg_controllen = CMSG_SPACE(bytes);
  cmsghdr* header = CMSG_FIRSTHDR(&message);
  header->cmsg_level = SOL_SOCKET;
  header->cmsg_type = SCM_RIGHTS;
  header->cmsg_len = CMSG_LEN(bytes);
  std::memcpy(CMSG_DATA(header), fds, bytes);
  const ssize_t sent = ::sendmsg(c.guard, &message, MSG_NOSIGNAL);
  const int error = errno;
  ::close(listener);
  if (sent < 0) return trouble(kBroker, "the guard", error);
  return {};
}

}  // namespace

std::unexpected<Trouble> trouble(Part part, const std::string& what, int error) {
  return std::unexpected(Trouble{part, what + ": " + std::strerror(error)});
}

Done confine(const Confinement& c) {
  if (::fchdir(c.folder) != 0) return trouble(kLandlock, "the work folder", errno);
  if (c.parts & kUid) {
    if (auto given = hand_over(c.folder, c.uid); !given) return given;
  }
  drop_bounding_set();
  if (c.parts & kUid) {
    if (auto changed = become(c.uid); !changed) return changed;
  }
  set_limits(c);
  if (auto dropped = drop_capabilities(); !dropped) return dropped;
  if (auto set = set_attributes(); !set) return set;
  if (c.parts & kLandlock) {
    if (auto restricted = restrict_files(c); !restricted) return restricted;
  }
  if (!(c.parts & kFilter)) return {};
  const auto listener = install_filter(c);
  if (!listener) return std::unexpected(listener.error());
  if (*listener >= 0) return register_at(c, *listener);
  return {};
}

bool leave_network(bool keep_users) {
  constexpr int kSpaces = CLONE_NEWNET | CLONE_NEWIPC;
  if (::unshare(kSpaces) == 0) return true;
  if (keep_users) return false;
  const uid_t uid = ::geteuid();
  const gid_t gid = ::getegid();
  if (::unshare(kSpaces | CLONE_NEWUSER) != 0) return false;
  // The same numbers inside as outside. Without these maps everything would belong to nobody.
  const auto write = [](const char* path, const std::string& text) {
    const int file = ::open(path, O_WRONLY | O_CLOEXEC);
    const bool done =
        file >= 0 && ::write(file, text.data(), text.size()) == static_cast<ssize_t>(text.size());
    if (file >= 0) ::close(file);
    return done;
  };
  const auto same = [](unsigned id) { return std::to_string(id) + " " + std::to_string(id) + " 1\n"; };
  write("/proc/self/setgroups", "deny");
  return write("/proc/self/uid_map", same(uid)) && write("/proc/self/gid_map", same(gid));
}

}  // namespace trawl::sandbox
