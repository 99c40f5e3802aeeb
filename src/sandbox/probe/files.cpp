#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <sys/inotify.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "sandbox/probe/attempts.h"

namespace trawl::sandbox::probe {
namespace {

bool reads(const std::string& path) {
  const int fd = open(path.c_str(), O_RDONLY | O_NONBLOCK);
  char byte = 0;
  return fd >= 0 && read(fd, &byte, 1) >= 0;
}

bool writes(const std::string& path, int flags = 0) {
  return open(path.c_str(), O_WRONLY | flags, 0600) >= 0;
}

// Leaves nothing behind where it does get through.
bool creates(const std::string& folder) {
  const std::string path = folder + "/trawl-probe-" + std::to_string(getpid());
  const bool created = writes(path, O_CREAT | O_EXCL);
  unlink(path.c_str());
  return created;
}

bool lists(const std::string& path) {
  return opendir(path.c_str()) != nullptr;
}

std::string of_victim(const Target& target, const char* name) {
  return "/proc/" + std::to_string(target.victim) + "/" + name;
}

// Runs what was written into the work folder.
bool runs_dropped_file(const Target&) {
  const int in = open("/usr/bin/true", O_RDONLY), out = open("dropped", O_WRONLY | O_CREAT | O_TRUNC, 0700);
  char block[65536];
  for (ssize_t size; (size = read(in, block, sizeof block)) > 0;)
    (void)!write(out, block, static_cast<size_t>(size));
  close(out);
  const pid_t child = fork();
  if (child == 0) {
    execl("dropped", "dropped", nullptr);
    _exit(1);
  }
  int status = 1;
  waitpid(child, &status, 0);
  return status == 0;
}

bool runs_from_memory(const Target&) {
  return syscall(SYS_memfd_create, "x", 0) >= 0;
}

// What a setuid program would bring must be of no effect, and no right be left from before.
bool gains_rights(const Target&) {
  if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1) return true;
  __user_cap_header_struct header{_LINUX_CAPABILITY_VERSION_3, 0};
  __user_cap_data_struct held[_LINUX_CAPABILITY_U32S_3]{};
  if (syscall(SYS_capget, &header, held) != 0) return true;
  for (const auto& part : held) {
    if (part.effective != 0 || part.permitted != 0 || part.inheritable != 0) return true;
  }
  return false;
}

bool looks_into_memory(const Target& target) {
  char byte = 0;
  const iovec ours{&byte, 1}, theirs{reinterpret_cast<void*>(0x400000), 1};
  return syscall(SYS_process_vm_readv, target.victim, &ours, 1, &theirs, 1, 0) >= 0 || errno != EPERM;
}

bool hidden(const Target& target) {
  return reads(target.outside + "/secret");
}

bool sets_mode_bits(const Target&) {
  const int fd = open("mode", O_WRONLY | O_CREAT, 0600);
  return fchmod(fd, 04755) == 0 || chmod("mode", 04755) == 0 || open("suid", O_WRONLY | O_CREAT, 04755) >= 0;
}

bool kills(const Target& target) {
  return kill(target.victim, 0) == 0 || syscall(SYS_tkill, target.victim, SIGCONT) == 0;
}

bool kills_everybody(const Target&) {
  return kill(-1, 0) == 0;
}

bool watches(const Target& target) {
  const int fd = inotify_init1(0);
  return fd >= 0 && inotify_add_watch(fd, target.outside.c_str(), IN_CREATE) >= 0;
}

bool keeps_living(const Target&) {
  return syscall(SYS_prctl, 1 /* PR_SET_PDEATHSIG */, 0, 0, 0, 0) == 0;
}

bool slows_others(const Target& target) {
  cpu_set_t one;
  CPU_ZERO(&one);
  CPU_SET(0, &one);
  const rlimit none{0, 0};
  return sched_setaffinity(target.victim, sizeof one, &one) == 0 ||
         setpriority(PRIO_PROCESS, static_cast<id_t>(target.victim), 5) == 0 ||
         prlimit(target.victim, RLIMIT_NOFILE, &none, nullptr) == 0;
}

Attempt reading(const std::string& path) {
  return {"reading " + path, [=](auto&) { return reads(path); }};
}

Attempt outside(const std::string& name, std::function<bool(const std::string&)> attempt) {
  return {name, [=](const Target& t) { return attempt(t.outside + "/secret"); }};
}

}  // namespace

std::vector<Attempt> file_attempts() {
  return {
      reading("/etc/passwd"),
      reading("/etc/shadow"),
      reading("/etc/hostname"),
      reading("/root/.bashrc"),
      reading("/proc/1/environ"),
      reading("/proc/self/environ"),
      reading("/proc/net/tcp"),
      reading("/var/log/dpkg.log"),
      reading("/dev/kmsg"),
      {"reading a file outside", hidden},
      {"reading it by ..",
       [](auto& t) { return reads("../" + t.outside.substr(t.outside.rfind('/') + 1) + "/secret"); }},
      {"reading another process's environment", [](auto& t) { return reads(of_victim(t, "environ")); }},
      {"reading another process's memory file", [](auto& t) { return reads(of_victim(t, "mem")); }},
      {"reading through another process's root",
       [](auto& t) { return reads(of_victim(t, "root") + t.outside + "/secret"); }},
      {"reading another process's memory", looks_into_memory},
      {"listing a folder outside", [](auto& t) { return lists(t.outside); }},
      {"listing /", [](auto&) { return lists("/"); }},
      {"listing /tmp", [](auto&) { return lists("/tmp"); }},
      outside("writing a file outside", [](auto& path) { return writes(path); }),
      outside("truncating it", [](auto& path) { return truncate(path.c_str(), 0) == 0; }),
      outside("hard link to it", [](auto& path) { return link(path.c_str(), "hard") == 0; }),
      outside("symbolic link to it", [](auto& path) { return symlink(path.c_str(), "soft") == 0; }),
      outside("changing its mode", [](auto& path) { return chmod(path.c_str(), 0777) == 0; }),
      outside("changing its owner", [](auto& path) { return chown(path.c_str(), getuid(), getgid()) == 0; }),
      outside("changing its time",
              [](auto& path) { return utimensat(AT_FDCWD, path.c_str(), nullptr, 0) == 0; }),
      outside("changing its attributes",
              [](auto& path) { return setxattr(path.c_str(), "user.x", "x", 1, 0) == 0; }),
      {"new file outside", [](auto& t) { return creates(t.outside); }},
      {"new folder outside", [](auto& t) { return mkdir((t.outside + "/folder").c_str(), 0700) == 0; }},
      {"new file in /tmp", [](auto&) { return creates("/tmp"); }},
      {"new file in /dev/shm", [](auto&) { return creates("/dev/shm"); }},
      {"device node", [](auto&) { return mknod("device", S_IFCHR | 0600, makedev(1, 3)) == 0; }},
      {"named pipe", [](auto&) { return mkfifo("pipe", 0600) == 0; }},
      {"running a dropped file", runs_dropped_file},
      {"running from memory", runs_from_memory},
      {"rights of a setuid program", gains_rights},
      {"setuid bit", sets_mode_bits},
      {"ptrace", [](auto& t) { return ptrace(PTRACE_SEIZE, t.victim, nullptr, nullptr) == 0; }},
      {"signal to another process", kills},
      {"signal to all", kills_everybody},
      {"limits and priority of another process", slows_others},
      {"staying after the parent", keeps_living},
      {"watching a folder outside", watches},
      {"mount", [](auto&) { return mount("none", "/mnt", "tmpfs", 0, nullptr) == 0; }},
      {"unshare", [](auto&) { return unshare(CLONE_NEWUSER | CLONE_NEWNS) == 0; }},
      {"chroot", [](auto&) { return chroot(".") == 0; }},
      {"keyring",
       [](auto&) { return syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, KEY_SPEC_SESSION_KEYRING, 1) >= 0; }},
      {"shared memory", [](auto&) { return shmget(IPC_PRIVATE, 4096, 0600) >= 0; }},
      {"becoming root", [](auto&) { return getuid() != 0 && (setuid(0) == 0 || setreuid(0, 0) == 0); }},
      {"bpf", [](auto&) { return syscall(SYS_bpf, 0, nullptr, 0) >= 0 || errno != EPERM; }},
      // Last, for the ones before need it.
      outside("taking it in", [](auto& path) { return rename(path.c_str(), "taken") == 0; }),
      outside("renaming it", [](auto& path) { return rename(path.c_str(), (path + "2").c_str()) == 0; }),
      outside("removing it", [](auto& path) { return unlink(path.c_str()) == 0; }),
  };
}

}  // namespace trawl::sandbox::probe
