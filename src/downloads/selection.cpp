#include "downloads/selection.h"

#include <algorithm>
#include <charconv>
#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::downloads {
namespace {

constexpr std::int64_t kFarAway = 1'000'000'000;
constexpr std::size_t kMaxRanges = 200;
constexpr std::size_t kRankedTitle = 200;

std::optional<std::int64_t> place(std::string_view text) {
  std::int64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc{} || end != text.data() + text.size() || number < 1 || number > kFarAway)
    return std::nullopt;
  return number;
}

template <class T>
Result<void> ordered(const std::optional<T>& low, const std::optional<T>& high, std::string_view low_name,
                     std::string_view high_name) {
  if (low && high && *high < *low)
    return fail(Errc::invalid, fmt::format("{} must not be less than {}", high_name, low_name),
                "validation_error");
  return {};
}

// Larger numbers first; nothing comes last.
std::string descending(std::optional<double> number) {
  constexpr double kMost = 1e15;
  return fmt::format("{:020.3f}", number ? kMost - std::clamp(*number, 0.0, kMost) : kMost + 1);
}

std::optional<double> as_number(const std::string& digits) {
  const auto number = place(digits);
  return number ? std::optional(static_cast<double>(*number)) : std::nullopt;
}

}  // namespace

Result<ItemRanges> ItemRanges::parse(std::string_view text) {
  ItemRanges out;
  for (const std::string_view raw : split(text, ',')) {
    const std::string_view part = trim(raw);
    const auto dash = part.find('-');
    const auto first = place(trim(part.substr(0, dash)));
    const bool open = dash != std::string_view::npos && trim(part.substr(dash + 1)).empty();
    const auto last = dash == std::string_view::npos ? first
                      : open                         ? std::nullopt
                                                     : place(trim(part.substr(dash + 1)));
    if (!first || (!open && (!last || *last < *first)))
      return fail(Errc::invalid, "must be places and ranges from 1 on, such as 1-10,15,20-");
    out.ranges_.emplace_back(*first, last);
  }
  if (out.ranges_.size() > kMaxRanges)
    return fail(Errc::invalid, fmt::format("must have at most {} ranges", kMaxRanges));
  return out;
}

bool ItemRanges::contains(std::int64_t index) const {
  return std::ranges::any_of(ranges_, [index](const auto& range) {
    return index >= range.first && (!range.second || index <= *range.second);
  });
}

std::optional<std::int64_t> ItemRanges::highest() const {
  std::int64_t highest = 0;
  for (const auto& [first, last] : ranges_) {
    if (!last) return std::nullopt;
    highest = std::max(highest, *last);
  }
  return highest;
}

std::optional<std::string> check_items(std::string_view text) {
  const auto ranges = ItemRanges::parse(text);
  return ranges ? std::nullopt : std::optional(ranges.error().message);
}

std::optional<std::string> check_date(std::string_view text) {
  const auto digits = std::ranges::all_of(text, [](char c) { return c >= '0' && c <= '9'; });
  if (text.size() != 8 || !digits) return "must be a day as YYYYMMDD";
  const auto number = [text](std::size_t from, std::size_t size) {
    unsigned value = 0;
    std::from_chars(text.data() + from, text.data() + from + size, value);
    return value;
  };
  const std::chrono::year_month_day day{std::chrono::year(static_cast<int>(number(0, 4))),
                                        std::chrono::month(number(4, 2)), std::chrono::day(number(6, 2))};
  if (!day.ok() || int(day.year()) < 1900 || int(day.year()) > 2100)
    return "must be a day of the calendar between 1900 and 2100";
  return std::nullopt;
}

Result<void> check_selection(const Selection& selection) {
  for (const auto& checked :
       {ordered(selection.start, selection.end, "start", "end"),
        ordered(selection.date_after, selection.date_before, "date_after", "date_before"),
        ordered(selection.min_duration, selection.max_duration, "min_duration", "max_duration"),
        ordered(selection.min_views, selection.max_views, "min_views", "max_views")}) {
    if (!checked) return checked;
  }
  return {};
}

std::optional<std::string> mismatch(const Selection& selection, const Facts& facts) {
  if (!facts.upload_date.empty()) {
    if (selection.date_after && facts.upload_date < *selection.date_after)
      return fmt::format("uploaded on {}, before {}", facts.upload_date, *selection.date_after);
    if (selection.date_before && facts.upload_date > *selection.date_before)
      return fmt::format("uploaded on {}, after {}", facts.upload_date, *selection.date_before);
  }
  if (facts.duration) {
    if (selection.min_duration && *facts.duration < *selection.min_duration)
      return fmt::format("{} s long, shorter than {} s", *facts.duration, *selection.min_duration);
    if (selection.max_duration && *facts.duration > *selection.max_duration)
      return fmt::format("{} s long, longer than {} s", *facts.duration, *selection.max_duration);
  }
  if (facts.view_count) {
    if (selection.min_views && *facts.view_count < *selection.min_views)
      return fmt::format("seen {} times, less than {}", *facts.view_count, *selection.min_views);
    if (selection.max_views && *facts.view_count > *selection.max_views)
      return fmt::format("seen {} times, more than {}", *facts.view_count, *selection.max_views);
  }
  return std::nullopt;
}

Selector::Selector(Selection selection) : selection_(std::move(selection)) {
  if (!selection_.items) return;
  if (auto items = ItemRanges::parse(*selection_.items)) items_ = std::move(*items);
}

bool Selector::wants(const media::Entry& entry) const {
  if (selection_.start && entry.index < *selection_.start) return false;
  if (selection_.end && entry.index > *selection_.end) return false;
  if (items_ && !items_->contains(entry.index)) return false;
  return !mismatch(selection_, {entry.duration, entry.view_count, entry.upload_date});
}

bool Selector::past_end(std::int64_t index) const {
  if (selection_.end && index > *selection_.end) return true;
  const auto highest = items_ ? items_->highest() : std::nullopt;
  return highest && index > *highest;
}

std::string Selector::rank(const media::Entry& entry) const {
  if (selection_.sort_by == SortBy::upload_date) return descending(as_number(entry.upload_date));
  if (selection_.sort_by == SortBy::view_count)
    return descending(entry.view_count ? std::optional(static_cast<double>(*entry.view_count))
                                       : std::nullopt);
  if (selection_.sort_by == SortBy::duration) return descending(entry.duration);
  if (selection_.sort_by == SortBy::title)
    return std::string(truncate_utf8(to_lower(entry.title), kRankedTitle));
  return fmt::format("{:010}", entry.index);
}

void FirstEntries::offer(media::Entry entry) {
  if (most_ == 0) return;
  const bool reverse = selector_.selection().reverse;
  std::pair key(selector_.rank(entry), entry.index);
  if (held_.size() == most_) {
    const auto worst = reverse ? held_.begin() : std::prev(held_.end());
    if (reverse ? key < worst->first : key > worst->first) return;
    held_.erase(worst);
  }
  held_.emplace(std::move(key), std::move(entry));
}

std::vector<media::Entry> FirstEntries::take() {
  std::vector<media::Entry> out;
  for (auto& [key, entry] : held_) out.push_back(std::move(entry));
  if (selector_.selection().reverse) std::ranges::reverse(out);
  held_.clear();
  return out;
}

std::string entry_key(std::string_view extractor, std::string_view id, std::string_view url,
                      const json::object& target) {
  const std::string site = to_lower(extractor);
  // The generic extractor makes ids of file names, so they say nothing without the address.
  if (!id.empty() && !site.empty() && site != "generic") return fmt::format("{} {}", site, id);
  const auto* item = target.if_contains("item");
  if (!item || !item->is_int64()) return fmt::format("url {}", url);
  const auto* item_id = target.if_contains("item_id");
  const auto* known = item_id ? item_id->if_string() : nullptr;
  if (known && !known->empty()) return fmt::format("url {}#{}", url, std::string_view(*known));
  return fmt::format("url {}#{}", url, item->get_int64());
}

}  // namespace trawl::downloads
