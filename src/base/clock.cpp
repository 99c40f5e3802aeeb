#include "base/clock.h"

#include <cstdio>

#include <fmt/format.h>

namespace trawl {

using namespace std::chrono;

SystemTime SystemClock::now() const {
  return floor<Millis>(system_clock::now());
}

std::string to_iso8601(SystemTime time) {
  const auto day = floor<days>(time);
  const year_month_day date{day};
  const hh_mm_ss clock{time - day};
  return fmt::format("{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z", static_cast<int>(date.year()),
                     static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                     clock.hours().count(), clock.minutes().count(), clock.seconds().count(),
                     clock.subseconds().count());
}

Result<SystemTime> parse_iso8601(std::string_view text) {
  const auto bad = [&] { return fail(Errc::invalid, fmt::format("'{}' is not an ISO 8601 time", text)); };
  const std::string copy(text);
  int y = 0, mo = 0, d = 0, h = 0, mi = 0, s = 0, used = 0;
  if (std::sscanf(copy.c_str(), "%4d-%2d-%2d%*1[Tt ]%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &s, &used) != 6)
    return bad();
  const year_month_day date{year{y}, month{static_cast<unsigned>(mo)}, day{static_cast<unsigned>(d)}};
  if (!date.ok() || h < 0 || h > 23 || mi < 0 || mi > 59 || s < 0 || s > 60) return bad();
  std::string_view rest = std::string_view(copy).substr(static_cast<std::size_t>(used));

  Millis fraction{0};
  if (rest.starts_with('.')) {
    rest.remove_prefix(1);
    int scale = 100;
    while (!rest.empty() && rest.front() >= '0' && rest.front() <= '9') {
      fraction += Millis{(rest.front() - '0') * scale};
      scale /= 10;
      rest.remove_prefix(1);
    }
  }
  minutes offset{0};
  if (rest != "Z" && rest != "z") {
    int oh = 0, om = 0;
    char sign[2] = {};
    if (std::sscanf(std::string(rest).c_str(), "%1[+-]%2d:%2d", sign, &oh, &om) != 3) return bad();
    offset = hours{oh} + minutes{om};
    if (sign[0] == '-') offset = -offset;
  }
  return SystemTime{sys_days{date} + hours{h} + minutes{mi} + seconds{s} + fraction - offset};
}

}  // namespace trawl
