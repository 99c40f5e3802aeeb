#include "jobs/breaker.h"

namespace trawl::jobs {

bool blames_origin(const Error& error) {
  return error.reason == "network_error" || error.reason == "origin_error" ||
         error.reason == "origin_timeout";
}

Breaker after_failure(Breaker before, const Error& error, SystemTime now, const BreakerRules& rules) {
  ++before.failures;
  if (before.failures >= rules.failures) before.open_until = now + rules.open;
  before.probe.reset();
  before.last_error = error.message;
  before.updated_at = now;
  return before;
}

std::optional<int> room(const Breaker& breaker, SystemTime now) {
  switch (breaker.state(now)) {
    case Breaker::State::closed:
      return std::nullopt;
    case Breaker::State::open:
      return 0;
    case Breaker::State::half_open:
      return breaker.probe && now - breaker.updated_at < kProbePatience ? 0 : 1;
  }
  return 0;
}

}  // namespace trawl::jobs
