#include "downloads/selection.h"

#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

media::Entry entry(std::int64_t index) {
  media::Entry out;
  out.index = index;
  out.title = "T" + std::to_string(index);
  return out;
}

std::vector<std::int64_t> indexes(const std::vector<media::Entry>& entries) {
  std::vector<std::int64_t> out;
  for (const auto& e : entries) out.push_back(e.index);
  return out;
}

using Places = std::vector<std::int64_t>;

TEST(ItemRanges, UnderstandsPlacesRangesAndOpenEnds) {
  struct Case {
    const char* text;
    Places within_12;
    std::optional<std::int64_t> highest;
  };
  for (const Case& c : {Case{"3", {3}, 3},
                        {"1-3,7", {1, 2, 3, 7}, 7},
                        {" 2 - 4 , 10- ", {2, 3, 4, 10, 11, 12}, std::nullopt},
                        {"9-9,1,5-6,5", {1, 5, 6, 9}, 9}}) {
    const auto ranges = ItemRanges::parse(c.text);
    ASSERT_TRUE(ranges) << c.text;
    Places found;
    for (std::int64_t i = 1; i <= 12; ++i)
      if (ranges->contains(i)) found.push_back(i);
    EXPECT_EQ(found, c.within_12) << c.text;
    EXPECT_EQ(ranges->highest(), c.highest) << c.text;
  }
}

TEST(ItemRanges, RefusesWhatIsNoRange) {
  for (const char* text : {"", ",", "0", "3-1", "-3", "a", "1-b", "1,,2", "1-2-3", "1.5", "99999999999"})
    EXPECT_TRUE(check_items(text)) << text;
}

TEST(Dates, MustBeDaysOfTheCalendar) {
  for (const char* day : {"19000101", "20240229", "21001231"}) EXPECT_FALSE(check_date(day)) << day;
  for (const char* day : {"20230229", "20241301", "18991231", "2024", "2024-1-1", "abcdefgh", "20240100"})
    EXPECT_TRUE(check_date(day)) << day;
}

TEST(Mismatch, HoldsOnlyWhatIsKnownAgainstAMedium) {
  Selection wants;
  wants.date_after = "20240110";
  wants.date_before = "20240120";
  wants.min_duration = 60;
  wants.max_duration = 600;
  wants.min_views = 10;
  wants.max_views = 99;
  struct Case {
    Facts facts;
    bool fits;
  };
  for (const auto& [facts, fits] : {Case{{}, true},
                                    {{60.0, 10, "20240110"}, true},
                                    {{600.0, 99, "20240120"}, true},
                                    {{59.9, {}, ""}, false},
                                    {{600.1, {}, ""}, false},
                                    {{{}, 9, ""}, false},
                                    {{{}, 100, ""}, false},
                                    {{{}, {}, "20240109"}, false},
                                    {{{}, {}, "20240121"}, false}}) {
    EXPECT_EQ(!mismatch(wants, facts), fits) << facts.upload_date << facts.duration.value_or(-1);
  }
}

TEST(CheckSelection, RefusesEndsBeforeBeginnings) {
  Selection fine;
  fine.start = fine.end = 3;
  EXPECT_TRUE(check_selection(fine));
  Selection wrong = fine;
  wrong.end = 2;
  EXPECT_FALSE(check_selection(wrong));
  wrong = {};
  wrong.min_views = 5;
  wrong.max_views = 4;
  EXPECT_EQ(check_selection(wrong).error().message, "max_views must not be less than min_views");
}

TEST(Selector, KnowsWhenNothingMoreCanCome) {
  Selection items;
  items.items = "2-3";
  EXPECT_FALSE(Selector(items).past_end(3));
  EXPECT_TRUE(Selector(items).past_end(4));
  Selection end;
  end.end = 5;
  EXPECT_TRUE(Selector(end).past_end(6));
  EXPECT_FALSE(Selector({}).past_end(1'000'000));
}

TEST(FirstEntries, KeepsTheFirstInOrderWhateverTheListingsOrder) {
  Selection by_views;
  by_views.sort_by = SortBy::view_count;
  for (const bool reverse : {false, true}) {
    by_views.reverse = reverse;
    const Selector selector(by_views);
    FirstEntries first(selector, 3);
    for (const std::int64_t views : {5, 900, 70, 1000, 6}) {
      auto e = entry(views);
      e.view_count = views;
      first.offer(std::move(e));
    }
    EXPECT_EQ(indexes(first.take()), reverse ? (Places{5, 6, 70}) : (Places{1000, 900, 70}));
  }
}

TEST(FirstEntries, PutsEqualsInTheListingsOrderAndTheUnknownLast) {
  Selection newest;
  newest.sort_by = SortBy::upload_date;
  const Selector selector(newest);
  FirstEntries first(selector, 10);
  for (const auto& [index, date] : {std::pair{1, ""}, {2, "20240101"}, {3, "20250101"}, {4, "20240101"}}) {
    auto e = entry(index);
    e.upload_date = date;
    first.offer(std::move(e));
  }
  EXPECT_EQ(indexes(first.take()), (Places{3, 2, 4, 1}));
}

TEST(EntryKey, IsTheSitesIdOrTheAddressWhereIdsAreMadeOfNames) {
  EXPECT_EQ(entry_key("Youtube", "abc", "https://x", {}), "youtube abc");
  EXPECT_EQ(entry_key("Generic", "media", "https://x/media.mp4", {}), "url https://x/media.mp4");
  EXPECT_EQ(entry_key("Vimeo", "", "https://x/1", {}), "url https://x/1");
  EXPECT_EQ(entry_key("Generic", "page-2", "https://x", {{"item", 2}, {"item_id", "page-2"}}),
            "url https://x#page-2");
  EXPECT_EQ(entry_key("Generic", "", "https://x", {{"item", 2}, {"item_id", ""}}), "url https://x#2");
}

}  // namespace
}  // namespace trawl::downloads
