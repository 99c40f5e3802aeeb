#include "downloads/cron.h"

#include <array>
#include <charconv>
#include <span>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::downloads {
namespace {

using namespace std::chrono;

// The 29th of February is up to eight years away (2096 to 2104).
constexpr int kYearsAhead = 9;

struct Field {
  std::string_view name;
  int min, max;
  std::span<const std::string_view> words;  // The first one means `min`.
};

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kDays{"sun", "mon", "tue", "wed", "thu", "fri", "sat"};
constexpr std::array<Field, 5> kFields{Field{"minute", 0, 59, {}},
                                       {"hour", 0, 23, {}},
                                       {"day of the month", 1, 31, {}},
                                       {"month", 1, 12, kMonths},
                                       {"day of the week", 0, 7, kDays}};

constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kNames{{{"@yearly", "0 0 1 1 *"},
                                                                               {"@annually", "0 0 1 1 *"},
                                                                               {"@monthly", "0 0 1 * *"},
                                                                               {"@weekly", "0 0 * * 0"},
                                                                               {"@daily", "0 0 * * *"},
                                                                               {"@midnight", "0 0 * * *"},
                                                                               {"@hourly", "0 * * * *"}}};

std::optional<int> number(std::string_view text) {
  int value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || text.front() == '-' || error != std::errc{} || end != text.data() + text.size())
    return std::nullopt;
  return value;
}

std::optional<int> value_of(const Field& field, std::string_view text) {
  for (std::size_t i = 0; i < field.words.size(); ++i) {
    if (to_lower(text) == field.words[i]) return field.min + static_cast<int>(i);
  }
  const auto value = number(text);
  return value && *value >= field.min && *value <= field.max ? value : std::nullopt;
}

struct Steps {
  int first, last, by;
};

// "*", "5", "1-5", each also with "/2"; "5/2" goes on to the end, as everywhere.
std::optional<Steps> steps_of(const Field& field, std::string_view part) {
  const auto slash = part.find('/');
  const std::string_view range = part.substr(0, slash);
  const auto by = slash == std::string_view::npos ? std::optional(1) : number(part.substr(slash + 1));
  if (!by || *by < 1 || *by > field.max) return std::nullopt;
  if (range == "*") return Steps{field.min, field.max, *by};
  const auto dash = range.find('-');
  const auto first = value_of(field, range.substr(0, dash));
  const bool open = dash == std::string_view::npos && slash != std::string_view::npos;
  const auto last = open                             ? std::optional(field.max)
                    : dash == std::string_view::npos ? first
                                                     : value_of(field, range.substr(dash + 1));
  if (!first || !last || *last < *first) return std::nullopt;
  return Steps{*first, *last, *by};
}

template <std::size_t N>
Result<void> read(const Field& field, std::string_view text, std::bitset<N>& out) {
  for (const std::string_view part : split(text, ',')) {
    const auto steps = steps_of(field, part);
    if (!steps)
      return fail(Errc::invalid,
                  fmt::format("'{}' is not a {} of a cron expression", to_valid_utf8(part), field.name));
    for (int i = steps->first; i <= steps->last; i += steps->by)
      out.set(static_cast<std::size_t>(field.max == 7 ? i % 7 : i));
  }
  return {};
}

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (const std::string_view word : split(text, ' ')) {
    if (!trim(word).empty()) words.push_back(trim(word));
  }
  return words;
}

}  // namespace

Result<Cron> Cron::parse(std::string_view text) {
  text = trim(text);
  for (const auto& [name, meaning] : kNames) {
    if (to_lower(text) == name) text = meaning;
  }
  const auto words = words_of(text);
  if (words.size() != kFields.size())
    return fail(Errc::invalid,
                "a cron expression has five fields: minute, hour, day, month, day of the week");
  Cron cron;
  for (const auto& read_so :
       {read(kFields[0], words[0], cron.minutes_), read(kFields[1], words[1], cron.hours_),
        read(kFields[2], words[2], cron.days_), read(kFields[3], words[3], cron.months_),
        read(kFields[4], words[4], cron.weekdays_)}) {
    if (!read_so) return fail(read_so.error());
  }
  cron.any_day_ = words[2].starts_with('*');
  cron.any_weekday_ = words[4].starts_with('*');
  if (!cron.find(sys_days{year(2095) / 3 / 1}))
    return fail(Errc::invalid, "there is no such day in any month");
  return cron;
}

bool Cron::fits(year_month_day day) const {
  if (!months_.test(unsigned(day.month()))) return false;
  const bool by_day = days_.test(unsigned(day.day()));
  const bool by_weekday = weekdays_.test(weekday(sys_days(day)).c_encoding());
  return any_day_ || any_weekday_ ? by_day && by_weekday : by_day || by_weekday;
}

std::optional<SystemTime> Cron::find(SystemTime time) const {
  const auto from = floor<minutes>(time) + minutes(1);
  const sys_days first = floor<days>(from), end = first + days(366 * kYearsAhead);
  for (sys_days day = first; day < end; day += days(1)) {
    if (!fits(day)) continue;
    for (int minute = day == first ? static_cast<int>((from - first).count()) : 0; minute < 24 * 60;
         ++minute) {
      if (hours_.test(static_cast<std::size_t>(minute / 60)) &&
          minutes_.test(static_cast<std::size_t>(minute % 60)))
        return day + minutes(minute);
    }
  }
  return std::nullopt;
}

SystemTime Cron::next(SystemTime time) const {
  return find(time).value_or(time + days(366 * kYearsAhead));
}

std::optional<std::string> check_cron(std::string_view text) {
  const auto cron = Cron::parse(text);
  return cron ? std::nullopt : std::optional("is no cron expression: " + cron.error().message);
}

}  // namespace trawl::downloads
