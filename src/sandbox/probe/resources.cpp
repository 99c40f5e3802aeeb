#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sandbox/probe/attempts.h"

namespace trawl::sandbox::probe {
namespace {

constexpr std::size_t kMiB = 1 << 20;

// Writes to memory until the kernel gives no more; `flags` says of what kind. Says when it has LIMIT MiB.
int use_memory(int flags) {
  const char* text = std::getenv("LIMIT");
  const std::size_t limit = text ? std::strtoul(text, nullptr, 10) * kMiB : 0;
  std::size_t used = 0;
  for (; used < 64 * 1024 * kMiB; used += kMiB) {
    void* block = mmap(nullptr, kMiB, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED) break;
    std::memset(block, 1, kMiB);
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    if (limit > 0 && used == limit) dprintf(1, "%ld.%09ld\n", static_cast<long>(now.tv_sec), now.tv_nsec);
  }
  std::printf("%zu MiB, then %s\n", used / kMiB, std::strerror(errno));
  return 0;
}

int fork_without_end() {
  int made = 0;
  for (int failed = 0; failed < 1000;) {
    const pid_t child = fork();
    if (child == 0) {
      for (;;) pause();
    }
    child < 0 ? ++failed : ++made;
  }
  std::printf("%d processes\n", made);
  return 0;
}

int write_without_end() {
  static char block[kMiB];
  const int file = open("large", O_WRONLY | O_CREAT | O_TRUNC, 0600);
  std::size_t written = 0;
  for (ssize_t size; (size = write(file, block, sizeof block)) > 0;)
    written += static_cast<std::size_t>(size);
  std::printf("%zu MiB\n", written / kMiB);
  return 0;
}

int open_without_end() {
  int opened = 0;
  while (open("/dev/null", O_RDONLY) >= 0) ++opened;
  std::printf("%d files, then %s\n", opened, std::strerror(errno));
  return 0;
}

}  // namespace

int use_up(const std::string& what) {
  if (what == "memory") return use_memory(MAP_PRIVATE);
  if (what == "shared") return use_memory(MAP_SHARED);
  if (what == "processes") return fork_without_end();
  if (what == "file") return write_without_end();
  if (what == "descriptors") return open_without_end();
  if (what == "reserve") {  // As V8 does, and never touches most of it.
    return mmap(nullptr, std::size_t{256} << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
                0) == MAP_FAILED;
  }
  if (what == "cpu") {
    for (volatile unsigned i = 0;; i = i + 1) continue;
  }
  std::fprintf(
      stderr,
      "what? network, files, permitted, memory, shared, processes, file, descriptors, reserve, cpu\n");
  return 2;
}

}  // namespace trawl::sandbox::probe
