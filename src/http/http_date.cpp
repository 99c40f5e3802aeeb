#include "http/http_date.h"

#include <array>
#include <ctime>

#include <fmt/format.h>

namespace trawl::http {
namespace {

using namespace std::chrono;

constexpr std::array<const char*, 7> kDays{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
constexpr std::array<const char*, 12> kMonths{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                              "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};

// RFC 9110: a two-digit year that seems more than 50 years ahead is one of the last century.
int full_year(int two_digits) {
  const int now = static_cast<int>(year_month_day(floor<days>(system_clock::now())).year());
  const int guess = now - now % 100 + two_digits;
  return guess > now + 50 ? guess - 100 : guess;
}

std::optional<sys_seconds> to_time(const std::tm& parts, int full) {
  const year_month_day date{year(full), month(static_cast<unsigned>(parts.tm_mon + 1)),
                            day(static_cast<unsigned>(parts.tm_mday))};
  if (!date.ok()) return std::nullopt;
  return sys_days(date) + hours(parts.tm_hour) + minutes(parts.tm_min) + seconds(parts.tm_sec);
}

}  // namespace

std::string to_http_date(sys_seconds time) {
  const auto midnight = floor<days>(time);
  const year_month_day date(midnight);
  const hh_mm_ss clock(time - midnight);
  return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT", kDays[weekday(midnight).c_encoding()],
                     static_cast<unsigned>(date.day()), kMonths[static_cast<unsigned>(date.month()) - 1],
                     static_cast<int>(date.year()), clock.hours().count(), clock.minutes().count(),
                     clock.seconds().count());
}

std::optional<sys_seconds> parse_http_date(std::string_view text) {
  const std::string copy(text);
  const auto reads = [&copy](const char* format, std::tm& parts) {
    parts = {};
    const char* end = strptime(copy.c_str(), format, &parts);
    return end && *end == '\0';
  };
  std::tm parts{};
  if (reads("%a, %d %b %Y %H:%M:%S GMT", parts)) return to_time(parts, parts.tm_year + 1900);
  if (reads("%a %b %d %H:%M:%S %Y", parts)) return to_time(parts, parts.tm_year + 1900);
  if (reads("%A, %d-%b-%y %H:%M:%S GMT", parts)) return to_time(parts, full_year(parts.tm_year % 100));
  return std::nullopt;
}

}  // namespace trawl::http
