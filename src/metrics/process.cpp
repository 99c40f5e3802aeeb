#include "metrics/process.h"

#include <ctime>
#include <filesystem>
#include <fstream>
#include <sys/resource.h>
#include <unistd.h>

namespace trawl::metrics {
namespace {

double cpu_seconds() {
  rusage used{};
  getrusage(RUSAGE_SELF, &used);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(used.ru_utime) + seconds(used.ru_stime);
}

double resident_bytes() {
  long total = 0, resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

double open_files() {
  std::error_code failed;
  double count = 0;
  for (std::filesystem::directory_iterator at("/proc/self/fd", failed), end; !failed && at != end;
       at.increment(failed))
    ++count;
  return count > 0 ? count - 1 : 0;  // One of them was the listing's own.
}

}  // namespace

ProcessFigures::ProcessFigures(Registry& registry)
    : cpu_(registry.counter("process_cpu_seconds_total", "CPU time of the server itself, user and system.")),
      resident_(registry.gauge("process_resident_memory_bytes", "Resident memory of the server itself.")),
      open_files_(registry.gauge("process_open_fds", "Open file descriptors of the server itself.")) {
  registry.gauge("process_start_time_seconds", "When the server started, in Unix seconds.")
      .Set(static_cast<double>(std::time(nullptr)));
}

void ProcessFigures::refresh() {
  cpu_.Increment(cpu_seconds() - cpu_.Value());
  resident_.Set(resident_bytes());
  open_files_.Set(open_files());
}

}  // namespace trawl::metrics
