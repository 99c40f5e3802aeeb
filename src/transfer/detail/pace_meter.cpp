#include "transfer/detail/pace_meter.h"

#include "transfer/range_plan.h"

namespace trawl::transfer::detail {

void PaceMeter::begin(Time now, std::int64_t arrived) {
  since_ = now;
  arrived_ = arrived;
}

std::optional<std::size_t> PaceMeter::look(const Look& at) {
  if (!since_ || at.now - *since_ < measuring_time(at.latency)) return std::nullopt;
  current_ =
      static_cast<double>(at.arrived - arrived_) / std::chrono::duration<double>(at.now - *since_).count();
  begin(at.now, at.arrived);
  if (current_ < best_ / 2) before_ = 0;
  if (current_ > best_) {
    best_ = current_;
    best_connections_ = at.connections;
  }
  const std::size_t wanted = wanted_connections({.connections = at.connections,
                                                 .bytes_per_second = current_,
                                                 .before = before_,
                                                 .remaining = at.remaining,
                                                 .most_connections = at.most_connections,
                                                 .limit = at.limit});
  if (wanted != at.connections) before_ = current_;
  return wanted;
}

std::optional<std::size_t> PaceMeter::best_connections() const {
  return best_ > 0 ? std::optional(best_connections_) : std::nullopt;
}

}  // namespace trawl::transfer::detail
