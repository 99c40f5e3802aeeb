#include "access/gcra.h"

#include <algorithm>
#include <charconv>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

std::optional<Nanos> period_of(std::string_view unit) {
  if (unit == "s" || unit == "sec" || unit == "second") return 1s;
  if (unit == "m" || unit == "min" || unit == "minute") return 1min;
  if (unit == "h" || unit == "hour") return 1h;
  if (unit == "d" || unit == "day") return 24h;
  return std::nullopt;
}

// The time one request takes up.
Nanos interval_of(const Rate& rate) {
  return rate.period / std::max<std::int64_t>(1, rate.count);
}

}  // namespace

Result<std::vector<Rate>> parse_rates(std::string_view text) {
  std::vector<Rate> rates;
  if (trim(text).empty() || trim(text) == "off") return rates;
  for (const std::string_view part : split(text, ',')) {
    const std::string_view one = trim(part);
    const auto slash = one.find('/');
    Rate rate;
    const std::string_view number = one.substr(0, slash);
    const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), rate.count);
    const auto period =
        slash == std::string_view::npos ? std::nullopt : period_of(trim(one.substr(slash + 1)));
    if (error != std::errc{} || end != number.data() + number.size() || rate.count < 1 ||
        rate.count > 1'000'000 || !period) {
      return fail(Errc::invalid, "must be rates such as '2/s, 10/min' (s, min, h, day), or 'off'");
    }
    rate.period = *period;
    rates.push_back(rate);
  }
  return rates;
}

RateDecision decide_rate(const Rate& rate, Nanos state, Nanos now) {
  const Nanos interval = interval_of(rate);
  const Nanos full = interval * rate.count;
  // A state that lies further ahead than a full counter is of a larger limit, or of another clock.
  const Nanos busy_until = std::clamp(state, now, now + full);
  const Nanos next = busy_until + interval;
  const Nanos allowed_at = next - full;
  if (allowed_at > now) {
    return {.allowed = false,
            .remaining = 0,
            .retry_after = allowed_at - now,
            .reset_after = busy_until - now,
            .next = busy_until};
  }
  return {.allowed = true,
          .remaining = (now + full - next) / interval,
          .retry_after = {},
          .reset_after = next - now,
          .next = next};
}

Nanos give_back(const Rate& rate, Nanos state) {
  return state - interval_of(rate);
}

}  // namespace trawl::access
