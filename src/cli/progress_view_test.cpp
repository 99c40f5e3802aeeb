#include "cli/progress_view.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/json.h"
#include "cli/columns.h"

namespace trawl::cli {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr std::int64_t kMiB = 1 << 20;

class SteppedClock final : public Clock {
 public:
  [[nodiscard]] SystemTime now() const override { return time; }
  SystemTime time{Millis{1'700'000'000'000}};
};

// Keeps what a terminal would show: enough of ANSI for what the bars use.
class Screen {
 public:
  void write(std::string_view text) {
    while (!text.empty()) {
      if (text.starts_with("\x1b[") && text.contains('A') &&
          std::isdigit(static_cast<unsigned char>(text[2]))) {
        up(std::stoul(std::string(text.substr(2))));
        text.remove_prefix(text.find('A') + 1);
      } else if (text.starts_with("\x1b[J")) {
        lines.resize(row + 1);
        lines[row].clear();
        text.remove_prefix(3);
      } else {
        if (text.front() == '\n')
          lines.resize(std::max(lines.size(), ++row + 1));
        else if (text.front() != '\r')
          lines[row] += text.front();
        text.remove_prefix(1);
      }
    }
  }
  std::vector<std::string> lines{""};

 private:
  void up(std::size_t rows) {
    ASSERT_LE(rows, row);
    row -= rows;
  }
  std::size_t row = 0;
};

class ProgressViews : public testing::Test {
 protected:
  std::unique_ptr<ProgressView> make(Output output) {
    return make_progress_view(
        output, {}, clock,
        [this](std::string_view text) {
          ++writes;
          written += text;
          screen.write(text);
        },
        [this] { return size; });
  }
  void pass(int ms) { clock.time += Millis{ms}; }

  SteppedClock clock;
  Size size{60, 24};
  Screen screen;
  std::string written;
  int writes = 0;
};

TEST_F(ProgressViews, BarsAreDrawnOverAndFinishedOnesScrollUp) {
  const auto view = make(Output::bars);
  view->started(1, "http://a");
  view->started(2, "http://b");
  view->named(2, "Second");
  view->stage(2, "downloading");
  view->progress(2, {9 * kMiB, 45 * kMiB, {}, {}});
  pass(100);
  view->tick();
  EXPECT_THAT(screen.lines, ElementsAre(HasSubstr("http://a"), HasSubstr("20%"), ""));

  pass(12'000);
  view->completed(2, {"out/Second.mp4"});
  EXPECT_THAT(screen.lines,
              ElementsAre("done: Second  9.0 MiB in 0:13", "  out/Second.mp4", HasSubstr("http://a"), ""));

  view->failed(1, {Errc::unavailable, "no route", "unreachable"});
  view->close();
  EXPECT_THAT(screen.lines, ElementsAre("done: Second  9.0 MiB in 0:13", "  out/Second.mp4",
                                        "FAILED: http://a  no route (unreachable)", ""));
}

TEST_F(ProgressViews, BarsAreDrawnAtMostTenTimesASecond) {
  const auto view = make(Output::bars);
  view->started(1, "http://a");
  view->stage(1, "downloading");
  for (int ms = 0; ms < 1000; ++ms) {
    pass(1);
    view->progress(1, {ms, 1000, {}, {}});
  }
  EXPECT_EQ(writes, 11);  // One at the start.
}

TEST_F(ProgressViews, BarsGoOnWhenTheClockIsSetBack) {
  const auto view = make(Output::bars);
  view->started(1, "http://a");
  pass(-3'600'000);
  view->tick();
  EXPECT_EQ(writes, 2);
}

TEST_F(ProgressViews, BarsTakeBackWhatANarrowerTerminalHasWrapped) {
  const auto view = make(Output::bars);
  view->started(1, "http://a");
  view->stage(1, "downloading");
  pass(100);
  view->tick();
  const int drawn = columns(screen.lines.front());
  size.columns = 25;
  pass(100);
  written.clear();
  // The screen above does not wrap, so only what is written is looked at.
  screen.write(std::string(10, '\n'));
  view->tick();
  EXPECT_THAT(written, testing::StartsWith("\r\x1b[" + std::to_string((drawn + 24) / 25) + "A\x1b[J"));
}

TEST_F(ProgressViews, NothingIsDrawnWhileNothingGoesOn) {
  const auto view = make(Output::bars);
  view->tick();
  view->close();
  EXPECT_EQ(writes, 0);
}

TEST_F(ProgressViews, LinesTellStagesQuartersAndTheEnd) {
  const auto view = make(Output::lines);
  view->started(1, "http://a");
  view->named(1, "A film");
  view->stage(1, "downloading");
  for (const int done : {1, 10, 30, 60, 62, 90, 100}) view->progress(1, {done * kMiB, 100 * kMiB, {}, {}});
  view->stage(1, "post_processing");
  view->stage(1, "post_processing");
  pass(61'000);
  view->completed(1, {"A film.mp4", "A film.en.srt"});
  EXPECT_EQ(written,
            "[1] http://a: started\n"
            "[1] A film: downloading\n"
            "[1] A film: 25% of 100.0 MiB\n"
            "[1] A film: 50% of 100.0 MiB\n"
            "[1] A film: 75% of 100.0 MiB\n"
            "[1] A film: post processing\n"
            "[1] A film: done, 100.0 MiB in 1:01\n"
            "[1]   A film.mp4\n"
            "[1]   A film.en.srt\n");
}

TEST_F(ProgressViews, LinesSkipQuartersThatWereJumpedOver) {
  const auto view = make(Output::lines);
  view->started(1, "u");
  view->progress(1, {80 * kMiB, 100 * kMiB, {}, {}});
  view->progress(1, {40 * kMiB, 100 * kMiB, {}, {}});
  EXPECT_EQ(written, "[1] u: started\n[1] u: 75% of 100.0 MiB\n");
}

TEST_F(ProgressViews, QuietOnesTellOnlyFailures) {
  const auto view = make(Output::quiet);
  view->started(1, "u");
  view->progress(1, {80, 100, {}, {}});
  view->completed(1, {"x"});
  view->started(2, "v");
  view->failed(2, {Errc::forbidden, "not\nhere", "domain_not_allowed"});
  EXPECT_EQ(written, "[2] v: FAILED: not here (domain_not_allowed)\n");
}

TEST_F(ProgressViews, JsonGivesAnObjectPerLineAndProgressOnceASecond) {
  const auto view = make(Output::json);
  view->started(1, "u");
  view->stage(1, "downloading");
  for (int i = 1; i <= 15; ++i) {
    pass(100);
    view->progress(1, {i, 100, 5.0, {}});
  }
  view->tick();
  pass(1000);
  view->tick();  // The last figures, which were held back.
  view->tick();
  view->completed(1, {"a.mp4"});

  std::vector<std::string> events;
  std::vector<std::int64_t> amounts;
  for (const std::string_view line : split(trim(written), '\n')) {
    const json::object event = parse_json(line).value().as_object();
    EXPECT_EQ(event.at("id"), 1);
    events.emplace_back(event.at("event").as_string());
    if (events.back() == "progress") amounts.push_back(event.at("downloaded_bytes").as_int64());
    if (events.back() == "completed") EXPECT_EQ(event.at("files"), json::array{"a.mp4"});
  }
  EXPECT_THAT(events, ElementsAre("started", "progress", "progress", "progress", "completed"));
  EXPECT_THAT(amounts, ElementsAre(0, 10, 15));
}

TEST_F(ProgressViews, JsonNamesTheReasonOfAFailure) {
  const auto view = make(Output::json);
  view->started(7, "u");
  written.clear();
  view->failed(7, {Errc::unavailable, "gone", "engine_crashed"});
  EXPECT_EQ(written, R"({"event":"failed","id":7,"url":"u","error_code":"engine_crashed","error":"gone"})"
                     "\n");
}

TEST_F(ProgressViews, IgnoreReportsThatComeAfterTheEnd) {
  for (const Output output : {Output::bars, Output::lines, Output::json, Output::quiet}) {
    const auto view = make(output);
    view->started(1, "u");
    view->completed(1, {});
    view->close();
    written.clear();
    view->stage(1, "downloading");
    view->progress(1, {1, 2, {}, {}});
    view->failed(1, {Errc::internal, "late", "late"});
    view->close();
    EXPECT_EQ(written, "");
  }
}

TEST(ChooseOutput, PrefersWhatWasAskedForToWhatTheTerminalCan) {
  const Terminal terminal{.interactive = true, .style = {}};
  EXPECT_EQ(choose_output(true, false, terminal), Output::json);
  EXPECT_EQ(choose_output(false, true, terminal), Output::quiet);
  EXPECT_EQ(choose_output(false, false, terminal), Output::bars);
  EXPECT_EQ(choose_output(false, false, {}), Output::lines);
}

}  // namespace
}  // namespace trawl::cli
