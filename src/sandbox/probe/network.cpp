#include <arpa/inet.h>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <linux/netlink.h>
#include <linux/vm_sockets.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <thread>
#include <unistd.h>

#include "sandbox/probe/attempts.h"

namespace trawl::sandbox::probe {
namespace {

struct Address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&bytes); }
};

Address v4(const char* text, int port) {
  Address out;
  auto* in = reinterpret_cast<sockaddr_in*>(&out.bytes);
  in->sin_family = AF_INET;
  in->sin_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET, text, &in->sin_addr);
  out.size = sizeof *in;
  return out;
}

Address v6(const char* text, int port) {
  Address out;
  auto* in = reinterpret_cast<sockaddr_in6*>(&out.bytes);
  in->sin6_family = AF_INET6;
  in->sin6_port = htons(static_cast<std::uint16_t>(port));
  inet_pton(AF_INET6, text, &in->sin6_addr);
  out.size = sizeof *in;
  return out;
}

Address unix_at(const std::string& path) {
  Address out;
  auto* un = reinterpret_cast<sockaddr_un*>(&out.bytes);
  un->sun_family = AF_UNIX;
  std::memcpy(un->sun_path, path.c_str(), path.size() + 1);
  if (path[0] == '@') un->sun_path[0] = '\0';
  out.size = static_cast<socklen_t>(offsetof(sockaddr_un, sun_path) + path.size() + (path[0] != '@'));
  return out;
}

// A connection counts when it says that it is one: the kernel may answer later.
bool established(int fd) {
  pollfd wait{fd, POLLOUT, 0};
  poll(&wait, 1, 300);
  sockaddr_storage peer{};
  socklen_t size = sizeof peer;
  return getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0;
}

bool connects(int family, int type, int protocol, const Address& to) {
  const int fd = socket(family, type | SOCK_NONBLOCK, protocol);
  if (fd < 0) return false;
  if (connect(fd, to.get(), to.size) != 0 && errno != EINPROGRESS) return false;
  return established(fd);
}

bool tcp(const char* address, int port) {
  return connects(AF_INET, SOCK_STREAM, 0, v4(address, port));
}

bool tcp6(const char* address, int port) {
  return connects(AF_INET6, SOCK_STREAM, 0, v6(address, port));
}

bool opens(int family, int type, int protocol) {
  return socket(family, type, protocol) >= 0;
}

bool fastopen(int family, int protocol, const Target& target, bool with_message) {
  const int fd = socket(family, SOCK_STREAM, protocol);
  if (fd < 0) return false;
  const Address to = v4("127.0.0.1", target.canary);
  if (!with_message)
    return sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, to.get(), to.size) >= 0 || established(fd);
  char byte = 'x';
  iovec part{&byte, 1};
  msghdr message{};
  message.msg_name = const_cast<sockaddr*>(to.get());
  message.msg_namelen = to.size;
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  return sendmsg(fd, &message, MSG_FASTOPEN | MSG_NOSIGNAL) >= 0 || established(fd);
}

bool fastopen_many(const Target& target) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const Address to = v4("127.0.0.1", target.canary);
  char byte = 'x';
  iovec part{&byte, 1};
  mmsghdr messages[1]{};
  messages[0].msg_hdr.msg_name = const_cast<sockaddr*>(to.get());
  messages[0].msg_hdr.msg_namelen = to.size;
  messages[0].msg_hdr.msg_iov = &part;
  messages[0].msg_hdr.msg_iovlen = 1;
  return sendmmsg(fd, messages, 1, MSG_FASTOPEN | MSG_NOSIGNAL) > 0 || established(fd);
}

bool fastopen_connect(const Target& target) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0), yes = 1;
  if (setsockopt(fd, IPPROTO_TCP, TCP_FASTOPEN_CONNECT, &yes, sizeof yes) == 0) return true;
  const Address to = v4("127.0.0.1", target.canary);
  return connect(fd, to.get(), to.size) == 0 && send(fd, "x", 1, MSG_NOSIGNAL) == 1;
}

bool sends_to(int family, int type, int protocol, const Address& to) {
  const int fd = socket(family, type, protocol);
  return fd >= 0 && sendto(fd, "x", 1, MSG_NOSIGNAL, to.get(), to.size) >= 0;
}

bool io_uring(const Target&) {
  io_uring_params parameters{};
  return syscall(__NR_io_uring_setup, 4, &parameters) >= 0;
}

bool pair_sends(const Target& target) {
  int ends[2];
  if (socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) != 0) return false;
  const Address to = unix_at(target.socket);
  return sendto(ends[0], "x", 1, MSG_NOSIGNAL, to.get(), to.size) >= 0 || errno != EACCES;
}

bool vsock(const Target&) {
  return opens(AF_VSOCK, SOCK_STREAM, 0);
}

bool x32(const Target&) {
#if defined(__x86_64__)
  return syscall(0x40000000 + SYS_socket, AF_INET, SOCK_DGRAM, 0) >= 0;
#else
  return false;
#endif
}

// socketcall(SYS_SOCKET, ..) of the 32-bit system calls; their pointers have 32 bits.
bool int80(const Target&) {
#if defined(__x86_64__)
  auto* arguments = static_cast<std::uint32_t*>(
      mmap(nullptr, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0));
  arguments[0] = AF_INET;
  arguments[1] = SOCK_DGRAM;
  arguments[2] = 0;
  long result = 102;
  asm volatile("int $0x80"
               : "+a"(result)
               : "b"(1L), "c"(reinterpret_cast<std::uintptr_t>(arguments)), "d"(0L)
               : "memory", "r8", "r9", "r10", "r11");
  return result >= 0;
#else
  return false;
#endif
}

// Leaves the job's group and tries as somebody new.
bool leaves(const Target& target) {
  if (setsid() > 0 || setpgid(0, 0) == 0) return true;
  const pid_t child = fork();
  if (child == 0) _exit(setsid() > 0 || tcp("127.0.0.1", target.canary) ? 1 : 0);
  int status = 0;
  waitpid(child, &status, 0);
  return status != 0;
}

bool listens(const Target&) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const Address any = v4("0.0.0.0", 0);
  return bind(fd, any.get(), any.size) == 0 || listen(fd, 1) == 0;
}

// While the guard reads the address another thread turns it from the proxy into the canary and back.
// A connection that is made must lead to the proxy whatever the guard saw.
bool race(const Target& target) {
  static sockaddr_in shared;
  std::memcpy(&shared, v4("127.0.0.1", target.proxy).get(), sizeof shared);
  std::atomic<bool> over = false;
  std::thread flipper([&] {
    volatile auto* port = &shared.sin_port;
    const std::uint16_t values[2] = {htons(static_cast<std::uint16_t>(target.proxy)),
                                     htons(static_cast<std::uint16_t>(target.canary))};
    for (unsigned i = 0; !over; ++i) *port = values[i & 1];
  });
  bool through = false;
  for (int i = 0; i < target.races && !through; ++i) {
    const int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, reinterpret_cast<sockaddr*>(&shared), sizeof shared) == 0) {
      sockaddr_in peer{};
      socklen_t size = sizeof peer;
      getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size);
      through = ntohs(peer.sin_port) != target.proxy;
    }
    close(fd);
  }
  over = true;
  flipper.join();
  return through;
}

// A connection the guard made is turned to another place.
bool reconnects(const Target& target) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const Address proxy = v4("127.0.0.1", target.proxy), canary = v4("127.0.0.1", target.canary);
  if (connect(fd, proxy.get(), proxy.size) != 0) return false;
  sockaddr nowhere{};
  nowhere.sa_family = AF_UNSPEC;
  if (connect(fd, &nowhere, sizeof nowhere) == 0) return true;
  if (sendto(fd, "x", 1, MSG_FASTOPEN | MSG_NOSIGNAL, canary.get(), canary.size) >= 0) return true;
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  return connect(fd, canary.get(), canary.size) == 0 ||
         (getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
          ntohs(peer.sin_port) != target.proxy);
}

bool with_bad_pointer(const Target&) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  return connect(fd, reinterpret_cast<sockaddr*>(16), sizeof(sockaddr_in)) == 0 || established(fd);
}

bool with_short_address(const Target& target) {
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  return connect(fd, v4("127.0.0.1", target.canary).get(), 8) == 0 || established(fd);
}

bool takes_sockets_of(const Target& target) {
  const long process = syscall(SYS_pidfd_open, target.victim, 0);
  return process >= 0 && syscall(SYS_pidfd_getfd, process, 0, 0) >= 0;
}

bool in_new_namespace(const Target& target) {
  return unshare(CLONE_NEWUSER | CLONE_NEWNET) == 0 || tcp("127.0.0.1", target.canary);
}

Attempt connecting(const std::string& name, const char* address, bool to_proxy_port) {
  return {name, [=](const Target& t) { return tcp(address, to_proxy_port ? t.proxy : t.canary); }};
}

bool reaches_proxy(const Target& target, bool blocking) {
  const int fd = socket(AF_INET, SOCK_STREAM | (blocking ? 0 : SOCK_NONBLOCK), 0);
  const Address to = v4("127.0.0.1", target.proxy);
  if (connect(fd, to.get(), to.size) != 0 && errno != EINPROGRESS) return false;
  const bool same_mode = ((fcntl(fd, F_GETFL) & O_NONBLOCK) == 0) == blocking;
  return same_mode && established(fd) && send(fd, "x", 1, MSG_NOSIGNAL) == 1;
}

// Hides its memory from the guard and asks for the canary.
bool leads_to_proxy_blindly(const Target& target) {
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  const int fd = socket(AF_INET, SOCK_STREAM, 0);
  const Address canary = v4("127.0.0.1", target.canary);
  sockaddr_in peer{};
  socklen_t size = sizeof peer;
  return connect(fd, canary.get(), canary.size) == 0 &&
         getpeername(fd, reinterpret_cast<sockaddr*>(&peer), &size) == 0 &&
         ntohs(peer.sin_port) == target.proxy;
}

}  // namespace

std::vector<Attempt> hidden_attempts() {
  return {{"canary, unseen", leads_to_proxy_blindly}};
}

std::vector<Attempt> network_attempts() {
  return {
      connecting("tcp to another port of loopback", "127.0.0.1", false),
      connecting("tcp to the proxy's port at 127.0.0.2", "127.0.0.2", true),
      connecting("tcp to the proxy's port at 0.0.0.0", "0.0.0.0", true),
      connecting("tcp to another port at 0.0.0.0", "0.0.0.0", false),
      connecting("tcp to cloud metadata", "169.254.169.254", false),
      connecting("tcp to cloud metadata, proxy's port", "169.254.169.254", true),
      connecting("tcp to a private address", "10.0.0.5", false),
      connecting("tcp to a private address, proxy's port", "10.0.0.5", true),
      {"tcp to ::1", [](auto& t) { return tcp6("::1", t.canary); }},
      {"tcp to the proxy's port at ::1", [](auto& t) { return tcp6("::1", t.proxy); }},
      {"tcp to ::ffff:127.0.0.1", [](auto& t) { return tcp6("::ffff:127.0.0.1", t.canary); }},
      {"tcp to fd00::1", [](auto& t) { return tcp6("fd00::1", t.canary); }},
      {"udp", [](auto& t) { return sends_to(AF_INET, SOCK_DGRAM, 0, v4("127.0.0.1", t.canary)); }},
      {"udp over ipv6", [](auto& t) { return sends_to(AF_INET6, SOCK_DGRAM, 0, v6("::1", t.canary)); }},
      {"dns", [](auto&) { return sends_to(AF_INET, SOCK_DGRAM, 0, v4("127.0.0.53", 53)); }},
      {"raw icmp", [](auto&) { return opens(AF_INET, SOCK_RAW, IPPROTO_ICMP); }},
      {"icmp echo socket", [](auto&) { return opens(AF_INET, SOCK_DGRAM, IPPROTO_ICMP); }},
      {"packet socket", [](auto&) { return opens(AF_PACKET, SOCK_RAW, 0); }},
      {"mptcp", [](auto& t) { return connects(AF_INET, SOCK_STREAM, 262, v4("127.0.0.1", t.canary)); }},
      {"mptcp over ipv6", [](auto& t) { return connects(AF_INET6, SOCK_STREAM, 262, v6("::1", t.canary)); }},
      {"fast open by sendto", [](auto& t) { return fastopen(AF_INET, 0, t, false); }},
      {"fast open by sendmsg", [](auto& t) { return fastopen(AF_INET, 0, t, true); }},
      {"fast open by sendmmsg", fastopen_many},
      {"fast open by socket option", fastopen_connect},
      {"fast open of mptcp", [](auto& t) { return fastopen(AF_INET, 262, t, false); }},
      {"io_uring", io_uring},
      {"unix socket", [](auto& t) { return connects(AF_UNIX, SOCK_STREAM, 0, unix_at(t.socket)); }},
      {"abstract unix socket",
       [](auto& t) { return connects(AF_UNIX, SOCK_STREAM, 0, unix_at(t.abstract_socket)); }},
      {"datagrams of a socket pair", pair_sends},
      {"vsock", vsock},
      {"netlink", [](auto&) { return opens(AF_NETLINK, SOCK_RAW, NETLINK_ROUTE); }},
      {"kernel crypto socket", [](auto&) { return opens(38, SOCK_SEQPACKET, 0); }},
      {"sctp", [](auto&) { return opens(AF_INET, SOCK_STREAM, 132); }},
      {"x32 system call", x32},
      {"32-bit socketcall", int80},
      {"new session", leaves},
      {"listening", listens},
      {"address changed under the guard's eyes", race},
      {"connection turned elsewhere", reconnects},
      {"address that cannot be read", with_bad_pointer},
      {"address cut short", with_short_address},
      {"sockets of another process", takes_sockets_of},
      {"namespace of its own", in_new_namespace},
  };
}

std::vector<Attempt> permitted() {
  return {{"proxy, blocking", [](auto& t) { return reaches_proxy(t, true); }},
          {"proxy, not blocking", [](auto& t) { return reaches_proxy(t, false); }},
          {"proxy, from a thread",
           [](auto& t) {
             bool reached = false;
             std::thread([&] { reached = reaches_proxy(t, true); }).join();
             return reached;
           }},
          {"file of the work folder",
           [](auto&) {
             const int file = open("kept", O_RDWR | O_CREAT | O_TRUNC, 0600);
             return file >= 0 && write(file, "x", 1) == 1 && ftruncate(file, 0) == 0 &&
                    rename("kept", "moved") == 0 && mkdir("inner", 0700) == 0 &&
                    rename("moved", "inner/moved") == 0 && unlink("inner/moved") == 0 && rmdir("inner") == 0;
           }},
          {"program of the system",
           [](auto&) {
             const pid_t child = fork();
             if (child == 0) {
               execl("/usr/bin/true", "true", nullptr);
               _exit(1);
             }
             int status = 1;
             waitpid(child, &status, 0);
             return status == 0;
           }},
          {"signal to its own", [](auto&) {
             const pid_t child = fork();
             if (child == 0) pause();
             int status = 0;
             return kill(child, SIGTERM) == 0 && waitpid(child, &status, 0) == child && WIFSIGNALED(status);
           }}};
}

}  // namespace trawl::sandbox::probe
