// What the Python host calls, through ctypes. engine/trawl_engine/sandbox.py has the same structure.

#include <cstring>

#include "sandbox/confinement.h"

using trawl::sandbox::Confinement;

extern "C" {

struct TrawlConfinement {
  std::uint64_t memory, file_size, cpu_seconds;
  std::int32_t folder, guard, output;
  std::uint32_t parts, uid, descriptors, processes, port, blind, landlock_abi;
};

#pragma GCC visibility push(default)

// Opens what children may read: the usual places and the `count` paths. Called once, before any fork.
void trawl_sandbox_open(const char* const* paths, int count);

int trawl_sandbox_landlock_version() {
  return trawl::sandbox::landlock_version();
}

int trawl_sandbox_leave_network(int keep_users) {
  return trawl::sandbox::leave_network(keep_users != 0) ? 1 : 0;
}

// Returns 0, or the part that does not work with its reason in `error`.
int trawl_sandbox_confine(const TrawlConfinement* given, char* error, int size);

#pragma GCC visibility pop
}

namespace {

std::vector<int> readable, devices;

}  // namespace

void trawl_sandbox_open(const char* const* paths, int count) {
  readable = trawl::sandbox::open_readable(std::vector<std::string>(paths, paths + count));
  devices = trawl::sandbox::open_devices();
}

int trawl_sandbox_confine(const TrawlConfinement* given, char* error, int size) {
  const Confinement confinement{.parts = given->parts,
                                .folder = given->folder,
                                .guard = given->guard,
                                .output = given->output,
                                .uid = given->uid,
                                .port = static_cast<std::uint16_t>(given->port),
                                .blind = given->blind != 0,
                                .landlock_abi = static_cast<int>(given->landlock_abi),
                                .memory = given->memory,
                                .file_size = given->file_size,
                                .cpu_seconds = given->cpu_seconds,
                                .descriptors = given->descriptors,
                                .processes = given->processes,
                                .readable = &readable,
                                .devices = &devices};
  const auto done = trawl::sandbox::confine(confinement);
  if (done) return 0;
  std::strncpy(error, done.error().what.c_str(), static_cast<std::size_t>(size - 1));
  return static_cast<int>(done.error().part);
}
