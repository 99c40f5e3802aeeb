#include "transfer/resume.h"

#include <gtest/gtest.h>

#include "transfer/journal.h"

namespace trawl::transfer {
namespace {

using Kind = Verdict::Kind;

const Known kHalf{.total = 100, .validator = {"\"v1\"", ""}, .have = 50};

Head part(std::string range, std::string etag = "\"v1\"") {
  return {.status = 206, .headers = {{"content-range", std::move(range)}, {"etag", std::move(etag)}}};
}

TEST(JudgeAnswer, AppendsOnlyWhatProvablyContinuesTheFile) {
  struct Case {
    Head head;
    Kind kind;
  };
  const Case cases[] = {
      {part("bytes 50-99/100"), Kind::append},
      {part("bytes 40-99/100"), Kind::append},
      {part("bytes 51-99/100"), Kind::restart},
      {part("bytes 0-49/100"), Kind::restart},
      {part("bytes 50-99/101"), Kind::restart},
      {part("bytes 50-99/*"), Kind::restart},
      {part("bytes 50-99/100", "\"v2\""), Kind::restart},
      {part("bytes 50-99/100", "W/\"v1\""), Kind::restart},
      {part("nonsense"), Kind::restart},
      {{.status = 200}, Kind::restart},
      {{.status = 304}, Kind::restart},
      {{.status = 416}, Kind::restart},
  };
  for (const auto& [head, kind] : cases) {
    const auto verdict = judge_answer(Span{50, 100}, kHalf, head);
    ASSERT_TRUE(verdict);
    EXPECT_EQ(verdict->kind, kind) << head.status << ' ' << head.header("content-range");
  }
}

TEST(JudgeAnswer, SkipsWhatComesBeforeTheAskedOffset) {
  EXPECT_EQ(judge_answer(Span{50, 100}, kHalf, part("bytes 40-99/100"))->skip, 10);
}

TEST(JudgeAnswer, CallsAFileCompleteOnlyWhenLengthAndValidatorMatch) {
  const Known all{.total = 100, .validator = {"\"v1\"", ""}, .have = 100};
  const auto judge = [&](std::string range, std::string etag) {
    Head head = part(std::move(range), std::move(etag));
    head.status = 416;
    return judge_answer(Span{100, 101}, all, head)->kind;
  };
  EXPECT_EQ(judge("bytes */100", "\"v1\""), Kind::complete);
  EXPECT_EQ(judge("bytes */101", "\"v1\""), Kind::restart);
  EXPECT_EQ(judge("bytes */100", "\"v2\""), Kind::restart);
  EXPECT_EQ(judge("bytes */100", ""), Kind::restart);
}

TEST(JudgeAnswer, NamesWhyAnOriginRefuses) {
  const auto reason = [](int status, bool later = false) {
    Head head{.status = status};
    if (later) head.headers["retry-after"] = "3";
    return judge_answer({}, {}, head).error().reason;
  };
  EXPECT_EQ(reason(403), "origin_forbidden");
  EXPECT_EQ(reason(404), "not_found");
  EXPECT_EQ(reason(410), "not_found");
  EXPECT_EQ(reason(429), "rate_limited");
  EXPECT_EQ(reason(503, true), "rate_limited");
  EXPECT_EQ(reason(503), "origin_error");
  EXPECT_EQ(reason(500), "origin_error");
}

TEST(JudgeAnswer, RefusesAWholeBodyOfAnotherLengthThanIsKnown) {
  const Known known{.total = 100, .validator = {"\"v1\"", ""}, .have = 0};
  const Head head{.status = 200, .headers = {{"content-length", "101"}, {"etag", "\"v1\""}}};
  EXPECT_EQ(judge_answer({}, known, head)->kind, Kind::restart);
}

TEST(RetryAfter, ReadsSecondsAndDates) {
  const std::chrono::sys_seconds now(std::chrono::seconds(784'111'770));
  const auto read = [&](std::string text) {
    return retry_after({.headers = {{"retry-after", std::move(text)}}}, now);
  };
  EXPECT_EQ(read("7"), std::chrono::seconds(7));
  EXPECT_EQ(read("Sun, 06 Nov 1994 08:49:37 GMT"), std::chrono::seconds(7));
  EXPECT_EQ(read("soon"), std::nullopt);
}

TEST(Journal, ReadsBackWhatItWrote) {
  Journal journal{.total = 100, .validator = {"\"v\"", "date"}, .done = {}};
  journal.done.add({0, 10});
  journal.done.add({20, 30});
  const auto again = parse_journal(to_text(journal));
  ASSERT_TRUE(again);
  EXPECT_EQ(again->total, journal.total);
  EXPECT_EQ(again->validator, journal.validator);
  EXPECT_EQ(again->done.list(), journal.done.list());
}

TEST(Journal, RefusesSpansThatCannotBe) {
  const auto with = [](std::string done) {
    return parse_journal(R"({"version":1,"total":100,"etag":"e","last_modified":"","done":)" + done + "}")
        .has_value();
  };
  EXPECT_TRUE(with("[[0,10],[20,100]]"));
  for (const auto* done :
       {"[[0,101]]", "[[10,5]]", "[[-1,5]]", "[[0,10],[5,20]]", "[[20,30],[0,10]]", "[[1]]", "7"}) {
    EXPECT_FALSE(with(done)) << done;
  }
}

TEST(Spans, MergesNeighboursAndFindsGaps) {
  Spans spans;
  spans.add({10, 20});
  spans.add({30, 40});
  spans.add({20, 25});
  EXPECT_EQ(spans.list(), (std::vector<Span>{{10, 25}, {30, 40}}));
  EXPECT_EQ(spans.missing({0, 50}), (std::vector<Span>{{0, 10}, {25, 30}, {40, 50}}));
  spans.add({0, 100});
  EXPECT_EQ(spans.bytes(), 100);
}

TEST(Assign, PrefersWhatNobodyWorksOnAndKeepsToTheChunkSize) {
  Spans done;
  done.add({0, 10});
  EXPECT_EQ(assign(done, {{20, 30}}, 100, 0, 1000), (Assignment{{10, 20}, {}}));
  EXPECT_EQ(assign(done, {{10, 30}}, 100, 15, 1000), (Assignment{{30, 45}, {}}));
}

TEST(Assign, HalvesTheLongestClaimWhenThatIsWorthARequest) {
  constexpr std::int64_t kMega = 1024 * 1024;
  EXPECT_EQ(assign({}, {{0, 2 * kMega}, {2 * kMega, 10 * kMega}}, 10 * kMega, 0, kMega),
            (Assignment{{6 * kMega, 10 * kMega}, 1}));
  EXPECT_EQ(assign({}, {{0, kMega}}, kMega, 0, kMega), std::nullopt);
  EXPECT_EQ(assign({}, {{0, kMega}}, kMega, 0, kMega / 2), (Assignment{{kMega / 2, kMega}, 0}));
}

TEST(Assign, SplitsFinerWhereAConnectionIsSlow) {
  EXPECT_GT(worth_splitting(0), worth_splitting(2e6));
  EXPECT_GT(worth_splitting(2e6), worth_splitting(0.5e6 / 8));
  EXPECT_EQ(worth_splitting(1e12), worth_splitting(0));
}

TEST(MeasuringTime, GrowsWithTheDistanceOfTheOrigin) {
  using namespace std::chrono_literals;
  EXPECT_LT(measuring_time(1ms), 100ms);
  EXPECT_EQ(measuring_time(100ms), 200ms);
  EXPECT_LT(measuring_time(10s), 1s);
}

TEST(WantedConnections, GrowsOnlyWhereThatPays) {
  struct Case {
    Pace pace;
    std::size_t wanted;
  };
  constexpr std::int64_t kFar = 100'000'000;
  const Case cases[] = {
      {{.connections = 1, .bytes_per_second = 2e6, .remaining = kFar, .most_connections = 16}, 8},
      {{.connections = 1, .bytes_per_second = 1e8, .remaining = kFar, .most_connections = 16}, 2},
      {{.connections = 2, .remaining = kFar, .most_connections = 16}, 16},
      {{.connections = 4, .bytes_per_second = 8e6, .before = 2e6, .remaining = kFar, .most_connections = 8},
       8},
      {{.connections = 4, .bytes_per_second = 2e6, .before = 2e6, .remaining = kFar, .most_connections = 16},
       4},
      {{.connections = 1, .bytes_per_second = 1e9, .remaining = kFar, .most_connections = 16}, 1},
      {{.connections = 1, .bytes_per_second = 1e5, .remaining = 1'000'000, .most_connections = 16}, 1},
      {{.connections = 1,
        .bytes_per_second = 2e6,
        .remaining = kFar,
        .most_connections = 16,
        .limit = 2'000'000},
       1},
  };
  for (const auto& [pace, wanted] : cases) EXPECT_EQ(wanted_connections(pace), wanted);
}

}  // namespace
}  // namespace trawl::transfer
