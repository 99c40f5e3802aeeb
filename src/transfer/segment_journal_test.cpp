#include "transfer/segment_journal.h"

#include <gtest/gtest.h>

namespace trawl::transfer {
namespace {

media::Part part_of(std::vector<std::string> urls) {
  media::Part out{.name = "media.ts"};
  for (auto& url : urls) out.segments.push_back({.url = std::move(url)});
  return out;
}

SegmentJournal journal_of(const media::Part& part, std::int64_t next, std::int64_t offset) {
  return {.version = 1, .list = digest_of(part), .next = next, .offset = offset};
}

TEST(SegmentJournal, ReadsWhatItWrote) {
  const auto journal = journal_of(part_of({"http://a/1"}), 1, 720'000);
  EXPECT_EQ(parse_segment_journal(to_text(journal)), journal);
}

TEST(SegmentJournal, RefusesDamagedText) {
  const std::string whole = to_text(journal_of(part_of({"http://a/1"}), 1, 5));
  for (std::size_t size = 0; size < whole.size(); ++size) {
    EXPECT_FALSE(parse_segment_journal(whole.substr(0, size))) << size;
  }
  for (const char* bad :
       {R"({"version":1,"list":"x","next":1})", R"({"version":1,"list":"x","offset":1})",
        R"({"version":2,"list":"x","next":1,"offset":1})", R"({"list":"x","next":1,"offset":1})",
        R"({"version":1,"list":"x","next":-1,"offset":1})",
        R"({"version":1,"list":"x","next":1,"offset":-1})", R"({"version":1,"list":"x","next":0,"offset":1})",
        R"({"version":1,"list":"x","next":1.5,"offset":1})",
        R"({"version":1,"list":"x","next":1,"offset":99999999999999999999})", "[]", "null"}) {
    EXPECT_FALSE(parse_segment_journal(bad)) << bad;
  }
}

TEST(SegmentResume, GoesOnWhereTheJournalSays) {
  const auto part = part_of({"http://a/1", "http://a/2"});
  EXPECT_EQ(plan_segment_resume(part, to_text(journal_of(part, 1, 10)), 15), journal_of(part, 1, 10));
}

TEST(SegmentResume, StartsOverWhenTheJournalDoesNotFit) {
  const auto part = part_of({"http://a/1", "http://a/2"});
  const auto start = journal_of(part, 0, 0);
  EXPECT_EQ(plan_segment_resume(part, "", 15), start);
  EXPECT_EQ(plan_segment_resume(part, to_text(journal_of(part, 1, 10)), 9), start) << "the file is shorter";
  EXPECT_EQ(plan_segment_resume(part, to_text(journal_of(part, 3, 10)), 15), start)
      << "more segments than there are";
  EXPECT_EQ(plan_segment_resume(part, to_text(journal_of(part_of({"http://a/1", "http://b/2"}), 1, 10)), 15),
            start);
}

TEST(SegmentDigest, ChangesWithAllThatDecidesTheBytes) {
  const auto base = part_of({"http://a/1", "http://a/2"});
  std::vector<media::Part> changed(6, base);
  std::swap(changed[0].segments[0], changed[0].segments[1]);
  changed[1].segments[0].range = media::ByteRange{0, 9};
  changed[2].segments[0].key = std::string(32, '0');
  changed[3].segments[0].iv = std::string(32, '0');
  changed[4].segments[0].key_url = "http://a/key";
  changed[5].segments.pop_back();
  for (std::size_t i = 0; i < changed.size(); ++i) EXPECT_NE(digest_of(changed[i]), digest_of(base)) << i;
  EXPECT_NE(digest_of(part_of({"ab", "c"})), digest_of(part_of({"a", "bc"})));
}

}  // namespace
}  // namespace trawl::transfer
