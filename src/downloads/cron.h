#pragma once

#include <bitset>
#include <optional>
#include <string_view>

#include "base/clock.h"
#include "base/result.h"

namespace trawl::downloads {

// A cron expression, in UTC, so that no hour is missing or comes twice.
//
// Five fields: minute, hour, day of the month, month, day of the week (0 and 7 are Sunday). Each is
// `*`, a number, a range `a-b`, a step `*/n` or `a-b/n`, or a list of these; months and days also by their
// first three letters. When both days are restricted one of them suffices, as in Vixie cron.
// `@hourly`, `@daily`, `@midnight`, `@weekly`, `@monthly`, `@yearly` and `@annually` stand for what they say.
class Cron {
 public:
  // Errc::invalid says which field is wrong, or that the expression never comes true.
  [[nodiscard]] static Result<Cron> parse(std::string_view text);

  // The first full minute after `time` at which it comes true.
  [[nodiscard]] SystemTime next(SystemTime time) const;

 private:
  [[nodiscard]] bool fits(std::chrono::year_month_day day) const;
  [[nodiscard]] std::optional<SystemTime> find(SystemTime time) const;

  std::bitset<60> minutes_;
  std::bitset<24> hours_;
  std::bitset<32> days_;
  std::bitset<13> months_;
  std::bitset<7> weekdays_;
  bool any_day_ = false, any_weekday_ = false;
};

[[nodiscard]] std::optional<std::string> check_cron(std::string_view text);

}  // namespace trawl::downloads
