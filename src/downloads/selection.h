#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/describe.h"
#include "base/result.h"
#include "media/entry.h"

namespace trawl::downloads {

enum class SortBy { upload_date, view_count, duration, title };

// Which entries of a playlist or channel are wanted, and in which order, in the words of the API.
struct Selection {
  std::optional<std::string> items;  // "1-10,15,20-": places in the playlist.
  std::optional<std::int64_t> start, end;
  std::optional<std::string> date_after, date_before;  // YYYYMMDD, inclusive.
  std::optional<double> min_duration, max_duration;    // Seconds.
  std::optional<std::int64_t> min_views, max_views;
  std::optional<SortBy> sort_by;
  bool reverse = false;
  std::optional<std::int64_t> max_downloads;
};
BOOST_DESCRIBE_STRUCT(Selection, (),
                      (items, start, end, date_after, date_before, min_duration, max_duration, min_views,
                       max_views, sort_by, reverse, max_downloads))

// Places in a playlist: "1-10,15,20-".
class ItemRanges {
 public:
  // Errc::invalid says what is wrong.
  [[nodiscard]] static Result<ItemRanges> parse(std::string_view text);
  [[nodiscard]] bool contains(std::int64_t index) const;
  // Behind the last place that can match; nothing when there is none.
  [[nodiscard]] std::optional<std::int64_t> highest() const;

 private:
  std::vector<std::pair<std::int64_t, std::optional<std::int64_t>>> ranges_;
};

// What a filter asks of a medium. A listing often does not know it.
struct Facts {
  std::optional<double> duration;
  std::optional<std::int64_t> view_count;
  std::string upload_date;
};

// Checks what no single field can: Errc::invalid when, for example, min_duration is over max_duration.
[[nodiscard]] Result<void> check_selection(const Selection& selection);

// Why a medium does not fit the filters of date, duration and views; nothing when it does, or may: what
// is not known of it is not held against it.
[[nodiscard]] std::optional<std::string> mismatch(const Selection& selection, const Facts& facts);

// Looks at entries in the order of their listing and says which are wanted.
class Selector {
 public:
  // The selection must have passed check_selection().
  explicit Selector(Selection selection);

  [[nodiscard]] bool wants(const media::Entry& entry) const;
  // Nothing at `index` or behind it can be wanted any more.
  [[nodiscard]] bool past_end(std::int64_t index) const;
  // True when the order of the listing is not that of the selection, so that the first is known last.
  [[nodiscard]] bool reorders() const { return selection_.sort_by || selection_.reverse; }
  // Ascending text order (descending with `reverse`) is the order asked for. Newest, most seen and
  // longest come first, titles by the alphabet; what lacks the value comes behind.
  [[nodiscard]] std::string rank(const media::Entry& entry) const;

  [[nodiscard]] const Selection& selection() const { return selection_; }

 private:
  Selection selection_;
  std::optional<ItemRanges> items_;
};

// Of all entries offered, the first `most` in the selection's order, without holding the others.
class FirstEntries {
 public:
  FirstEntries(const Selector& selector, std::size_t most) : selector_(selector), most_(most) {}

  void offer(media::Entry entry);
  // In order; empties this.
  [[nodiscard]] std::vector<media::Entry> take();

 private:
  const Selector& selector_;
  std::size_t most_;
  std::map<std::pair<std::string, std::int64_t>, media::Entry> held_;
};

// Under what an entry is remembered: "youtube dQw4w9WgXcQ", or its address where ids are not unique.
// `extractor`, `id` and `url` are those of a listing or of a resolved medium.
[[nodiscard]] std::string entry_key(std::string_view extractor, std::string_view id, std::string_view url,
                                    const json::object& target);

[[nodiscard]] std::optional<std::string> check_items(std::string_view text);
[[nodiscard]] std::optional<std::string> check_date(std::string_view text);

}  // namespace trawl::downloads

template <>
struct trawl::EnumText<trawl::downloads::SortBy> {
  using S = trawl::downloads::SortBy;
  static constexpr std::pair<S, std::string_view> names[] = {{S::upload_date, "upload_date"},
                                                             {S::view_count, "view_count"},
                                                             {S::duration, "duration"},
                                                             {S::title, "title"}};
};

template <>
struct trawl::Rules<trawl::downloads::Selection> {
  static constexpr FieldRule fields[] = {
      {.name = "items",
       .doc = "Places in the playlist, counting from 1.",
       .min = 1,
       .max = 1000,
       .example = R"("1-10,15,20-25")",
       .check = trawl::downloads::check_items},
      {.name = "start", .doc = "First place to take.", .min = 1, .max = 1e9},
      {.name = "end", .doc = "Last place to take.", .min = 1, .max = 1e9},
      {.name = "date_after",
       .doc = "Uploaded on this day or later, YYYYMMDD.",
       .example = R"("20260131")",
       .check = trawl::downloads::check_date},
      {.name = "date_before",
       .doc = "Uploaded on this day or earlier, YYYYMMDD.",
       .check = trawl::downloads::check_date},
      {.name = "min_duration", .doc = "At least so many seconds long.", .min = 0, .max = 1e9},
      {.name = "max_duration", .doc = "At most so many seconds long.", .min = 0, .max = 1e9},
      {.name = "min_views", .doc = "Seen at least so often.", .min = 0, .max = 1e15},
      {.name = "max_views", .doc = "Seen at most so often.", .min = 0, .max = 1e15},
      {.name = "sort_by",
       .doc = "Order: newest, most seen or longest first, titles by the alphabet; else as the site lists."},
      {.name = "reverse", .doc = "The other way round.", .alias = "reverse_playlist"},
      {.name = "max_downloads", .doc = "No more than so many, the first in order.", .min = 1, .max = 1000}};
};
