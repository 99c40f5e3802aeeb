#include "jobs/breaker.h"

namespace trawl::jobs {
namespace {

bool mostly_fails(const Breaker::Window& window, const BreakerRules& rules) {
  return window.calls >= rules.min_calls && window.failures * 100 >= rules.failed_percent * window.calls;
}

}  // namespace

bool blames_origin(const Error& error) {
  return error.reason == "network_error" || error.reason == "origin_error" ||
         error.reason == "origin_timeout";
}

Breaker after_failure(Breaker before, const Error& error, SystemTime now, const BreakerRules& rules) {
  const bool was_probe = before.open_until.has_value();
  ++before.failures;
  if (now - before.window.start >= rules.window) before.window = {.start = now};
  ++before.window.calls;
  ++before.window.failures;
  if (was_probe || before.failures >= rules.failures || mostly_fails(before.window, rules)) {
    before.open_until = now + rules.open;
    before.window = {};
  }
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
