#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <sys/types.h>
#include <vector>

// What an engine child may do, and the one function that makes it so.
//
// This half of the module is also loaded into the Python host as a shared object, so it uses nothing
// but the C++ library and the kernel's own calls.
namespace trawl::sandbox {

// The parts of the confinement. All of them together are the promise; without one of them the others
// still hold what they hold.
enum Part : std::uint32_t {
  kLandlock = 1,  // Files: what is listed, and the work folder.
  kFilter = 2,    // System calls, and through them sockets.
  kBroker = 4,    // connect() is done by the guard, to one address. Needs kFilter.
  kUid = 8,       // A user of its own.
};
constexpr std::uint32_t kAllParts = kLandlock | kFilter | kBroker | kUid;

struct Trouble {
  Part part = kLandlock;  // What did not work; for resource limits and the like, kFilter.
  std::string what;       // "Landlock: Function not implemented"
};
using Done = std::expected<void, Trouble>;

[[nodiscard]] std::unexpected<Trouble> trouble(Part part, const std::string& what, int error);

struct Confinement {
  std::uint32_t parts = kAllParts;
  int folder = -1;         // The work folder: the only place to write, and the working directory.
  int guard = -1;          // The guard's socket; needed for kBroker.
  int output = -1;         // Where the guard may say why it ended the child; -1: nowhere.
  std::uint32_t uid = 0;   // User and group of kUid.
  std::uint16_t port = 0;  // 127.0.0.1:port is the only address to connect to; 0: none.
  bool blind = false;      // The guard cannot read addresses: every connection leads to that one.
  int landlock_abi = 0;    // Use no more than this version of Landlock; 0: what the kernel has.

  std::uint64_t memory = 0;       // Writable private memory of one process, and all memory of all together.
  std::uint64_t file_size = 0;    // Of one file.
  std::uint64_t cpu_seconds = 0;  // Of one process.
  std::uint32_t descriptors = 0;  // Open files of one process.
  std::uint32_t processes = 0;    // And threads.
  const std::vector<int>* readable = nullptr;  // O_PATH descriptors: may be read and run, with what is below.
  const std::vector<int>* devices = nullptr;   // O_PATH descriptors of files that may be read and written.
};

// Confines the calling process, which must have one thread, for good. What fails leaves the process
// half confined: end it. With kUid every file of the work folder is given to that user first.
[[nodiscard]] Done confine(const Confinement& confinement);

// The version of Landlock the kernel offers; 0 when it has none or it is switched off.
[[nodiscard]] int landlock_version();

// O_PATH descriptors for what every program needs to run: libraries, certificates, fonts, CPU facts.
// Those of `more` come on top; what does not exist is left out.
[[nodiscard]] std::vector<int> open_readable(const std::vector<std::string>& more);
// /dev/null and the like.
[[nodiscard]] std::vector<int> open_devices();

// Puts the calling process, which must have one thread, into network and IPC namespaces of its own:
// with the rights to it directly, else in a user namespace. What it forks later has no network but
// the connections the guard makes. False where the system does not allow it, or only by a user namespace
// and `keep_users` forbids that: there are no users in it but the caller's.
[[nodiscard]] bool leave_network(bool keep_users);

// The steps of confine(), for itself.
[[nodiscard]] Done hand_over(int folder, uid_t owner);
[[nodiscard]] Done restrict_files(const Confinement& confinement);
// The descriptor of the listener with kBroker, else -1.
[[nodiscard]] std::expected<int, Trouble> install_filter(const Confinement& confinement);

}  // namespace trawl::sandbox
