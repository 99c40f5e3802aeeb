#include "sandbox/broker.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/seccomp.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <vector>

#include "sandbox/descriptor.h"
#include "sandbox/process_view.h"

namespace trawl::sandbox {
namespace {

constexpr int kConnectMillis = 1000;

sockaddr_in proxy_at(std::uint16_t port) {
  sockaddr_in out{};
  out.sin_family = AF_INET;
  out.sin_port = htons(port);
  out.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  return out;
}

// An errno, or 0 for a connected socket. Loopback answers at once unless the proxy's queue is full.
int connect_to_proxy(int fd, std::uint16_t port) {
  const sockaddr_in proxy = proxy_at(port);
  if (::connect(fd, reinterpret_cast<const sockaddr*>(&proxy), sizeof proxy) == 0) return 0;
  if (errno != EINPROGRESS) return errno;
  pollfd wait{fd, POLLOUT, 0};
  if (::poll(&wait, 1, kConnectMillis) != 1) return ETIMEDOUT;
  int error = 0;
  socklen_t size = sizeof error;
  ::getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
  return error;
}

bool still_waits(int listener, std::uint64_t id) {
  return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ID_VALID, &id) == 0;
}

// Puts the connection in the place of the socket that was to be connected. An errno.
int put_in_place(int listener, const seccomp_notif& call, int connected, int flags) {
  const bool blocking = (flags & O_NONBLOCK) == 0;
  if (blocking && ::fcntl(connected, F_SETFL, 0) != 0) return errno;
  seccomp_notif_addfd add{};
  add.id = call.id;
  add.flags = SECCOMP_ADDFD_FLAG_SETFD;
  add.srcfd = static_cast<__u32>(connected);
  add.newfd = static_cast<__u32>(call.data.args[0]);
  add.newfd_flags = static_cast<__u32>(flags & O_CLOEXEC);
  return ::ioctl(listener, SECCOMP_IOCTL_NOTIF_ADDFD, &add) < 0 ? errno : 0;
}

// The errno of connect().
int answer_connect(int listener, const seccomp_notif& call, const Wards& wards) {
  const auto pid = static_cast<pid_t>(call.pid);
  std::array<char, sizeof(sockaddr_in)> address{};
  const std::size_t length = std::min<std::size_t>(call.data.args[2], address.size());
  const auto read = read_memory(pid, wards.uid, call.data.args[1], std::span(address).first(length));
  const auto flags = file_flags(pid, wards.uid, static_cast<int>(call.data.args[0]));
  // Only now is it sure that what was read belongs to the asker and not to a successor of its number.
  if (!still_waits(listener, call.id)) return ECONNABORTED;
  if (read && !leads_to_proxy(std::span(address).first(std::min(*read, length)), wards.port)) return EACCES;
  if (!read && !wards.blind) return EACCES;
  if (wards.port == 0) return EACCES;
  if (read && !flags) return EBADF;

  const Descriptor socket(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (socket.get() < 0) return errno;
  if (const int error = connect_to_proxy(socket.get(), wards.port); error != 0) return error;
  return put_in_place(listener, call, socket.get(), flags.value_or(O_CLOEXEC));
}

// kill(pid, ..), tkill(tid, ..), tgkill(group, tid, ..): numbers, which nobody can change any more.
bool may_signal(const seccomp_data& data, const Wards& wards) {
  const auto own = [&](std::uint64_t number) {
    const auto pid = static_cast<pid_t>(number);
    return pid > 0 && ::getpgid(pid) == wards.group;
  };
  const auto target = static_cast<pid_t>(data.args[0]);
  if (data.nr == SYS_tgkill) return own(data.args[0]) && own(data.args[1]);
  if (data.nr == SYS_kill && target <= 0) return target == 0 || target == -wards.group;
  return own(data.args[0]);
}

}  // namespace

bool leads_to_proxy(std::span<const char> address, std::uint16_t port) {
  if (address.size() < sizeof(sockaddr_in)) return false;
  sockaddr_in asked{};
  std::memcpy(&asked, address.data(), sizeof asked);
  const sockaddr_in proxy = proxy_at(port);
  return port != 0 && asked.sin_family == AF_INET && asked.sin_port == proxy.sin_port &&
         asked.sin_addr.s_addr == proxy.sin_addr.s_addr;
}

bool answer_call(int listener, const Wards& wards) {
  seccomp_notif_sizes sizes{};
  if (::syscall(SYS_seccomp, SECCOMP_GET_NOTIF_SIZES, 0, &sizes) != 0) return false;
  // The kernel's structures may be longer than those we were built with, and are only appended to.
  std::vector<std::uint64_t> space(std::max<std::size_t>(sizes.seccomp_notif, sizeof(seccomp_notif)) / 8 + 1);
  auto& call = *reinterpret_cast<seccomp_notif*>(space.data());
  if (::ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &call) != 0) return errno == ENOENT || errno == EINTR;

  std::vector<std::uint64_t> words(
      std::max<std::size_t>(sizes.seccomp_notif_resp, sizeof(seccomp_notif_resp)) / 8 + 1);
  auto& answer = *reinterpret_cast<seccomp_notif_resp*>(words.data());
  answer.id = call.id;
  if (call.data.nr == SYS_connect) {
    answer.error = -answer_connect(listener, call, wards);
  } else if (may_signal(call.data, wards)) {
    answer.flags = SECCOMP_USER_NOTIF_FLAG_CONTINUE;
  } else {
    answer.error = -EPERM;
  }
  ::ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &answer);  // Fails when the asker is gone: nothing to do.
  return true;
}

}  // namespace trawl::sandbox
