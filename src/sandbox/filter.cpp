#include "sandbox/filter.h"

#include <cerrno>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/sched.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV
#define SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV (1UL << 5)
#endif

namespace trawl::sandbox {
namespace {

using namespace bpf;

#if defined(__x86_64__)
constexpr __u32 kArchitecture = AUDIT_ARCH_X86_64;
#elif defined(__aarch64__)
constexpr __u32 kArchitecture = AUDIT_ARCH_AARCH64;
#else
#error "the sandbox knows the system calls of x86-64 and ARM64"
#endif

constexpr __u32 refuse(int error) {
  return SECCOMP_RET_ERRNO | static_cast<__u32>(error);
}

// Numbers that kernel headers of Debian 12 may not have.
constexpr long kFchmodat2 = 452, kSetxattrat = 463, kRemovexattrat = 466, kFileSetattr = 469;

// Refused whatever the arguments. None of them is needed to parse a page or to convert a medium.
constexpr long kRefused[] = {
    // Other processes.
    SYS_ptrace,
    SYS_process_vm_readv,
    SYS_process_vm_writev,
    SYS_pidfd_open,
    SYS_pidfd_getfd,
    SYS_pidfd_send_signal,
    SYS_kcmp,
    SYS_process_madvise,
    SYS_process_mrelease,
    SYS_rt_sigqueueinfo,
    SYS_rt_tgsigqueueinfo,
    SYS_setpriority,
    SYS_ioprio_set,
    SYS_migrate_pages,
    SYS_move_pages,
    // A group and session of one's own would escape the end of the job.
    SYS_setsid,
    SYS_setpgid,
    // Sockets beyond what connect() gives.
    SYS_bind,
    SYS_listen,
    SYS_accept,
    SYS_accept4,
    SYS_sendmmsg,
    // Ways round this filter.
    SYS_io_uring_setup,
    SYS_io_uring_enter,
    SYS_io_uring_register,
    SYS_io_setup,
    SYS_seccomp,
    // Memory that no limit counts.
    SYS_memfd_create,
    SYS_memfd_secret,
    SYS_shmget,
    SYS_shmat,
    SYS_msgget,
    SYS_semget,
    SYS_mq_open,
    // What files other than one's own Landlock would not protect: owners, modes, attributes, watches.
    SYS_fchmodat,
    SYS_fchownat,
    SYS_fchown,
    SYS_setxattr,
    SYS_lsetxattr,
    SYS_removexattr,
    SYS_lremovexattr,
    SYS_mknodat,
    SYS_inotify_add_watch,
    SYS_fanotify_init,
    SYS_fanotify_mark,
    SYS_name_to_handle_at,
    SYS_open_by_handle_at,
    // Users, namespaces, mounts, the kernel itself.
    SYS_setuid,
    SYS_setgid,
    SYS_setreuid,
    SYS_setregid,
    SYS_setresuid,
    SYS_setresgid,
    SYS_setfsuid,
    SYS_setfsgid,
    SYS_setgroups,
    SYS_capset,
    SYS_unshare,
    SYS_setns,
    SYS_mount,
    SYS_umount2,
    SYS_pivot_root,
    SYS_chroot,
    SYS_move_mount,
    SYS_open_tree,
    SYS_fsopen,
    SYS_fsconfig,
    SYS_fsmount,
    SYS_fspick,
    SYS_mount_setattr,
    SYS_bpf,
    SYS_userfaultfd,
    SYS_keyctl,
    SYS_add_key,
    SYS_request_key,
    SYS_perf_event_open,
    SYS_init_module,
    SYS_finit_module,
    SYS_delete_module,
    SYS_kexec_load,
    SYS_reboot,
    SYS_swapon,
    SYS_swapoff,
    SYS_sethostname,
    SYS_setdomainname,
    SYS_settimeofday,
    SYS_clock_settime,
    SYS_clock_adjtime,
    SYS_adjtimex,
    SYS_quotactl,
    SYS_quotactl_fd,
    SYS_acct,
    SYS_syslog,
    SYS_vhangup,
    SYS_personality,
    SYS_nfsservctl,
    SYS_lookup_dcookie,
    SYS_sync,
#if defined(__x86_64__)
    SYS_chmod,
    SYS_chown,
    SYS_lchown,
    SYS_mknod,
    SYS_utime,
    SYS_utimes,
    SYS_futimesat,
    SYS_iopl,
    SYS_ioperm,
    SYS_modify_ldt,
    SYS_kexec_file_load,
    SYS_uselib,
    SYS_ustat,
    SYS_sysfs,
    SYS__sysctl,
#endif
};

// Calls a program tries and does without: their arguments are in memory, where a filter cannot look.
constexpr long kUnknown[] = {SYS_clone3, SYS_openat2, kFchmodat2, kSetxattrat, kRemovexattrat, kFileSetattr};

// Refused unless the first argument is 0, which means the caller itself.
constexpr long kOnlyOneself[] = {SYS_prlimit64, SYS_sched_setaffinity, SYS_sched_setscheduler,
                                 SYS_sched_setparam, SYS_sched_setattr};

constexpr __u32 kNamespaces =
    CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP;

void check_architecture(Code& code) {
  append(code, {load(offsetof(seccomp_data, arch)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kArchitecture, 1, 0),
                answer(SECCOMP_RET_KILL_PROCESS), load(offsetof(seccomp_data, nr))});
#if defined(__x86_64__)
  constexpr __u32 kX32 = 0x40000000;
  append(code, {BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, kX32, 0, 1), answer(SECCOMP_RET_KILL_PROCESS)});
#endif
}

// Refuses when any of `bits` is set in the argument.
Code refuse_bits(int argument, __u32 bits, int error) {
  return {load(low(argument)), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1), answer(refuse(error)),
          answer(SECCOMP_RET_ALLOW)};
}

// Refuses unless the argument, all of it, is zero.
Code only_zero(int argument, int error) {
  return {load(low(argument)),   BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 0, 2),
          load(high(argument)),  BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 1, 0),
          answer(refuse(error)), answer(SECCOMP_RET_ALLOW)};
}

// Refuses when the argument is one of `values`.
Code refuse_values(int argument, std::initializer_list<__u32> values, int error) {
  Code out{load(low(argument))};
  for (const __u32 value : values)
    append(out, {BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 0, 1), answer(refuse(error))});
  out.push_back(answer(SECCOMP_RET_ALLOW));
  return out;
}

// TCP of the internet, and nothing else: MPTCP and SCTP are streams as well, by another protocol.
Code tcp_only() {
  constexpr __u32 kType = 0xf;
  return {load(low(0)),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET, 1, 0),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_INET6, 0, 6),
          load(low(1)),
          BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kType),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 0, 3),
          load(low(2)),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, 0, 2, 0),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0),
          answer(refuse(EACCES)),
          answer(SECCOMP_RET_ALLOW)};
}

// Pairs of streams: a datagram socket of a pair can be sent to any other one by address.
Code stream_pairs_only() {
  constexpr __u32 kType = 0xf;
  return {load(low(0)),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_UNIX, 0, 3),
          load(low(1)),
          BPF_STMT(BPF_ALU | BPF_AND | BPF_K, kType),
          BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SOCK_STREAM, 1, 0),
          answer(refuse(EACCES)),
          answer(SECCOMP_RET_ALLOW)};
}

// No address, and no MSG_FASTOPEN: both connect without connect().
Code send_without_address() {
  Code out{load(low(3)), BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MSG_FASTOPEN, 0, 1), answer(refuse(EACCES))};
  const Code rest = only_zero(4, EACCES);
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

// Nothing that changes when or where a TCP socket connects.
Code plain_tcp_options() {
  Code out{load(low(1)), BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, IPPROTO_TCP, 1, 0), answer(SECCOMP_RET_ALLOW)};
  const Code rest =
      refuse_values(2, {TCP_FASTOPEN, TCP_FASTOPEN_CONNECT, TCP_REPAIR, TCP_ULP, TCP_MD5SIG}, EPERM);
  out.insert(out.end(), rest.begin(), rest.end());
  return out;
}

void add_networking(Code& code, bool broker) {
  on_call(code, SYS_socket, tcp_only());
  on_call(code, SYS_socketpair, stream_pairs_only());
  on_call(code, SYS_sendto, send_without_address());
  on_call(code, SYS_sendmsg, refuse_bits(2, MSG_FASTOPEN, EACCES));
  on_call(code, SYS_setsockopt, plain_tcp_options());
  if (broker) {
    for (const long number : {SYS_connect, SYS_kill, SYS_tkill, SYS_tgkill})
      on_call(code, number, {answer(SECCOMP_RET_USER_NOTIF)});
  }
}

void add_files(Code& code, bool truncate_by_path) {
  constexpr __u32 kPrivileged = S_ISUID | S_ISGID;
  on_call(code, SYS_fchmod, refuse_bits(1, kPrivileged, EPERM));
  on_call(code, SYS_utimensat, only_zero(1, EPERM));  // A descriptor yes, a path no.
  on_call(code, SYS_openat, refuse_bits(3, kPrivileged, EPERM));
#if defined(__x86_64__)
  on_call(code, SYS_open, refuse_bits(2, kPrivileged, EPERM));
  on_call(code, SYS_creat, refuse_bits(1, kPrivileged, EPERM));
#endif
  if (!truncate_by_path) on_call(code, SYS_truncate, {answer(refuse(EACCES))});
}

}  // namespace

Code filter(const FilterRules& rules) {
  Code code;
  check_architecture(code);
  add_networking(code, rules.broker);
  add_files(code, rules.truncate_by_path);
  on_call(code, SYS_clone, refuse_bits(0, kNamespaces, EPERM));
  on_call(code, SYS_ioctl, refuse_values(1, {0x5412 /* TIOCSTI */, 0x541c /* TIOCLINUX */}, EPERM));
  on_call(code, SYS_prctl,
          refuse_values(0, {PR_SET_PDEATHSIG, PR_SET_PTRACER, PR_SET_MM, PR_SET_SECCOMP}, EPERM));
  for (const long number : kOnlyOneself) on_call(code, number, only_zero(0, EPERM));
  for (const long number : kUnknown) on_call(code, number, {answer(refuse(ENOSYS))});
  for (const long number : kRefused) on_call(code, number, {answer(refuse(EPERM))});
  code.push_back(answer(SECCOMP_RET_ALLOW));
  return code;
}

std::expected<int, Trouble> install_filter(const Confinement& confinement) {
  const bool broker = (confinement.parts & kBroker) != 0;
  const int abi = confinement.landlock_abi > 0 ? std::min(confinement.landlock_abi, landlock_version())
                                               : landlock_version();
  Code code = filter({.broker = broker, .truncate_by_path = abi >= 3});
  const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
  if (!broker) {
    if (::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program) != 0)
      return trouble(kFilter, "seccomp", errno);
    return -1;
  }
  // A signal must not make the guard do a call twice, where the kernel can promise that (5.19).
  for (const unsigned long flags : {SECCOMP_FILTER_FLAG_NEW_LISTENER | SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV,
                                    SECCOMP_FILTER_FLAG_NEW_LISTENER}) {
    const long listener = ::syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &program);
    if (listener >= 0) return static_cast<int>(listener);
  }
  return trouble(kBroker, "seccomp with a listener (Linux 5.9)", errno);
}

}  // namespace trawl::sandbox
