#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "sandbox/confinement.h"

// The kernel headers of Debian 12 know Landlock up to version 3; the numbers here are the kernel's.
#ifndef __NR_landlock_create_ruleset
#define __NR_landlock_create_ruleset 444
#define __NR_landlock_add_rule 445
#define __NR_landlock_restrict_self 446
#endif

namespace trawl::sandbox {
namespace {

constexpr std::uint64_t bit(int number) {
  return std::uint64_t{1} << number;
}

constexpr std::uint64_t kExecute = bit(0), kWriteFile = bit(1), kReadFile = bit(2), kReadDir = bit(3),
                        kRemoveDir = bit(4), kRemoveFile = bit(5), kMakeDir = bit(7), kMakeReg = bit(8),
                        kRefer = bit(13), kTruncate = bit(14), kIoctlDev = bit(15);
constexpr std::uint64_t kRead = kExecute | kReadFile | kReadDir;
// Neither kExecute nor devices, sockets, pipes and links.
constexpr std::uint64_t kWork =
    kReadFile | kReadDir | kWriteFile | kTruncate | kMakeDir | kMakeReg | kRemoveDir | kRemoveFile | kRefer;
constexpr std::uint64_t kOfFiles = kExecute | kReadFile | kWriteFile | kTruncate | kIoctlDev;

struct Ruleset {
  std::uint64_t files, network, scope;
};

struct [[gnu::packed]] PathRule {
  std::uint64_t allowed;
  std::int32_t parent;
};

struct PortRule {
  std::uint64_t allowed, port;
};

// What each version can refuse. Everything it can refuse is refused unless a rule allows it.
Ruleset everything(int version) {
  Ruleset out{bit(13) - 1, 0, 0};
  if (version >= 2) out.files |= kRefer;
  if (version >= 3) out.files |= kTruncate;
  if (version >= 4) out.network = bit(0) | bit(1);  // bind and connect of TCP
  if (version >= 5) out.files |= kIoctlDev;
  if (version >= 6) out.scope = bit(0) | bit(1);  // abstract sockets and signals
  return out;
}

std::size_t size_of(int version) {
  return version >= 6 ? sizeof(Ruleset) : version >= 4 ? 2 * sizeof(std::uint64_t) : sizeof(std::uint64_t);
}

bool allow(int ruleset, int path, std::uint64_t access) {
  const PathRule rule{access, path};
  return ::syscall(__NR_landlock_add_rule, ruleset, 1, &rule, 0) == 0;
}

}  // namespace

int landlock_version() {
  const long version = ::syscall(__NR_landlock_create_ruleset, nullptr, 0, 1);
  return version < 0 ? 0 : static_cast<int>(version);
}

Done restrict_files(const Confinement& confinement) {
  int version = landlock_version();
  if (confinement.landlock_abi > 0) version = std::min(version, confinement.landlock_abi);
  if (version == 0) return trouble(kLandlock, "Landlock (Linux 5.13, enabled in the kernel)", ENOSYS);
  const Ruleset handled = everything(version);
  const int ruleset =
      static_cast<int>(::syscall(__NR_landlock_create_ruleset, &handled, size_of(version), 0));
  if (ruleset < 0) return trouble(kLandlock, "Landlock", errno);

  bool added = allow(ruleset, confinement.folder, kWork & handled.files);
  if (confinement.readable) {
    for (const int path : *confinement.readable) {
      // A rule about a single file may not name what only a folder can be used for.
      added = added && (allow(ruleset, path, kRead) || allow(ruleset, path, kRead & kOfFiles));
    }
  }
  if (confinement.devices) {
    for (const int path : *confinement.devices)
      added = added && allow(ruleset, path, (kReadFile | kWriteFile | kTruncate) & handled.files);
  }
  // With the broker nobody in here connects: the guard's connections come from outside.
  if (handled.network != 0 && confinement.port != 0 && !(confinement.parts & kBroker)) {
    const PortRule rule{bit(1), confinement.port};
    added = added && ::syscall(__NR_landlock_add_rule, ruleset, 2, &rule, 0) == 0;
  }
  const bool done = added && ::syscall(__NR_landlock_restrict_self, ruleset, 0) == 0;
  const int error = errno;
  ::close(ruleset);
  if (!done) return trouble(kLandlock, "Landlock", error);
  return {};
}

std::vector<int> open_readable(const std::vector<std::string>& more) {
  std::vector<int> out;
  const auto add = [&out](const char* path) {
    if (const int fd = ::open(path, O_PATH | O_CLOEXEC); fd >= 0) out.push_back(fd);
  };
  for (const char* path : {"/usr",
                           "/lib",
                           "/lib64",
                           "/lib32",
                           "/bin",
                           "/sbin",
                           "/etc/ld.so.cache",
                           "/etc/alternatives",
                           "/etc/ssl/certs",
                           "/etc/ssl/openssl.cnf",
                           "/etc/ca-certificates",
                           "/etc/pki",
                           "/etc/fonts",
                           "/etc/localtime",
                           "/etc/mime.types",
                           "/etc/python3",
                           "/dev/urandom",
                           "/dev/random",
                           "/dev/zero",
                           "/proc/cpuinfo",
                           "/proc/meminfo",
                           "/proc/stat",
                           "/proc/sys/vm/overcommit_memory",
                           "/sys/devices/system/cpu"})
    add(path);
  for (const std::string& path : more) add(path.c_str());
  return out;
}

std::vector<int> open_devices() {
  std::vector<int> out;
  for (const char* path : {"/dev/null", "/dev/full"}) {
    if (const int fd = ::open(path, O_PATH | O_CLOEXEC); fd >= 0) out.push_back(fd);
  }
  return out;
}

}  // namespace trawl::sandbox
