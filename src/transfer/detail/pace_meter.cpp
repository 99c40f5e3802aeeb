#include "transfer/detail/pace_meter.h"

namespace trawl::transfer::detail {

void PaceMeter::begin(Time now, std::int64_t arrived) {
  since_ = now;
  arrived_ = arrived;
}

std::optional<std::size_t> PaceMeter::look(Time now, std::int64_t arrived,
                                           std::chrono::steady_clock::duration latency, Pace pace) {
  if (!since_ || now - *since_ < measuring_time(latency)) return std::nullopt;
  current_ = static_cast<double>(arrived - arrived_) / std::chrono::duration<double>(now - *since_).count();
  begin(now, arrived);
  if (current_ < best_ / 2) before_ = 0;
  if (current_ > best_) {
    best_ = current_;
    best_connections_ = pace.connections;
  }
  pace.bytes_per_second = current_;
  pace.before = before_;
  const std::size_t wanted = wanted_connections(pace);
  if (wanted != pace.connections) before_ = current_;
  return wanted;
}

std::optional<std::size_t> PaceMeter::best_connections() const {
  return best_ > 0 ? std::optional(best_connections_) : std::nullopt;
}

}  // namespace trawl::transfer::detail
