#include "transfer/segment_answer.h"

#include <gtest/gtest.h>

#include "transfer/content_range.h"
#include "transfer/resume.h"

namespace trawl::transfer {
namespace {

using Headers = std::map<std::string, std::string>;

Head head_of(int status, Headers headers = {}) {
  return {.status = status, .headers = std::move(headers), .url = "http://a/1"};
}

constexpr media::ByteRange kRange{.first = 10, .last = 19};

TEST(SegmentAnswer, TakesAWholeBody) {
  EXPECT_EQ(judge_segment_answer({}, head_of(200, {{"content-length", "7"}})), (Slice{.length = 7}));
  EXPECT_EQ(judge_segment_answer({}, head_of(200)), Slice{});
}

TEST(SegmentAnswer, TakesExactlyTheRangeItAskedFor) {
  for (const char* range : {"bytes 10-19/100", "bytes 10-19/20", "bytes 10-19/*"}) {
    EXPECT_EQ(judge_segment_answer(kRange, head_of(206, {{"content-range", range}})), (Slice{.length = 10}))
        << range;
  }
}

TEST(SegmentAnswer, RefusesAnotherRange) {
  for (const char* range : {"", "bytes 0-19/100", "bytes 9-19/100", "bytes 11-19/100", "bytes 10-18/19",
                            "bytes 10-20/100", "bytes */100", "10-19/100"}) {
    EXPECT_EQ(judge_segment_answer(kRange, head_of(206, {{"content-range", range}})).error().reason,
              "wrong_range")
        << range;
  }
  EXPECT_FALSE(judge_segment_answer(
      kRange, head_of(206, {{"content-range", "bytes 10-19/100"}, {"content-length", "9"}})));
}

TEST(SegmentAnswer, CutsTheRangeOutOfAWholeResource) {
  const Slice slice{.skip = 10, .length = 10, .then_end = true};
  EXPECT_EQ(judge_segment_answer(kRange, head_of(200, {{"content-length", "20"}})), slice);
  EXPECT_EQ(judge_segment_answer(kRange, head_of(200)), slice);
  EXPECT_EQ(judge_segment_answer(kRange, head_of(200, {{"content-length", "19"}})).error().reason,
            "truncated");
}

TEST(SegmentAnswer, NamesStatuses) {
  const std::vector<std::pair<int, std::string>> table = {
      {401, "origin_forbidden"}, {403, "origin_forbidden"}, {404, "not_found"},    {410, "not_found"},
      {429, "rate_limited"},     {500, "origin_error"},     {503, "origin_error"}, {204, "origin_error"},
      {206, "origin_error"},     {304, "origin_error"},     {416, "origin_error"}};
  for (const auto& [status, reason] : table) {
    EXPECT_EQ(judge_segment_answer({}, head_of(status)).error().reason, reason) << status;
  }
}

TEST(SegmentRetry, AsksOnceMoreAfterANoAndOftenAfterTrouble) {
  const Error no = judge_segment_answer({}, head_of(404)).error();
  EXPECT_TRUE(worth_a_retry(no, 1));
  EXPECT_FALSE(worth_a_retry(no, 2));
  EXPECT_TRUE(worth_a_retry(judge_segment_answer({}, head_of(503)).error(), 9));
  EXPECT_FALSE(worth_a_retry({Errc::unsupported, "", "bad_decryption"}, 1));
  EXPECT_FALSE(worth_a_retry({Errc::cancelled, "", "cancelled"}, 1));
}

TEST(RetryAfter, ReadsSecondsOnly) {
  EXPECT_EQ(retry_after(head_of(503, {{"retry-after", "7"}})), std::chrono::seconds(7));
  for (const char* bad : {"", "-1", "+1", "1.5", "soon", "99999999999999999999"}) {
    EXPECT_EQ(retry_after(head_of(503, {{"retry-after", bad}})), std::nullopt) << bad;
  }
}

TEST(ContentRange, RefusesWhatIsMalformed) {
  for (const char* bad :
       {"bytes 0-9", "bytes 0-9/", "bytes 0-9/9", "bytes 9-0/10", "bytes -1-9/10", "bytes 0-+9/10",
        "bytes 0-9/10 ", "bytes  0-9/10", "bytes 0-99999999999999999999/*", "items 0-9/10"}) {
    EXPECT_FALSE(parse_content_range(bad)) << bad;
  }
}

}  // namespace
}  // namespace trawl::transfer
