#include "cli/progress_bar.h"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "cli/columns.h"
#include "cli/figures.h"

namespace trawl::cli {
namespace {

constexpr std::int64_t kMiB = 1 << 20;

Bar downloading(std::int64_t done, std::optional<std::int64_t> total) {
  return {"A film",
          "downloading",
          {done * kMiB, total ? std::optional(*total * kMiB) : std::nullopt, 3.1 * kMiB, 72.0}};
}

TEST(Figures, AreShortAndSayTheirUnit) {
  EXPECT_EQ(size_text(0), "0 B");
  EXPECT_EQ(size_text(1023), "1023 B");
  EXPECT_EQ(size_text(1024), "1.0 KiB");
  EXPECT_EQ(size_text(kMiB - 1), "1.0 MiB");
  EXPECT_EQ(amount_text({5 * kMiB, 45 * kMiB, {}, {}}), "5.0/45.0 MiB");
  EXPECT_EQ(amount_text({5 * kMiB, {}, {}, {}}), "5.0 MiB");
  EXPECT_EQ(speed_text(1024.0), "1.0 KiB/s");
  EXPECT_EQ(speed_text(std::nullopt), "");
  EXPECT_EQ(speed_text(std::nan("")), "");
  EXPECT_EQ(duration_text(11.2), "0:12");
  EXPECT_EQ(duration_text(3723), "1:02:03");
  EXPECT_EQ(duration_text(4 * 86400 + 3 * 3600), "4d 3h");
  EXPECT_EQ(duration_text(std::numeric_limits<double>::infinity()), "");
}

TEST(Percent, IsFullOnlyWhenEverythingIsThere) {
  EXPECT_EQ(percent_of({999, 1000, {}, {}}), 99);
  EXPECT_EQ(percent_of({1000, 1000, {}, {}}), 100);
  EXPECT_EQ(percent_of({1200, 1000, {}, {}}), 100);  // The total was an estimate.
  EXPECT_EQ(percent_of({5, std::nullopt, {}, {}}), std::nullopt);
  EXPECT_EQ(percent_of({5, 0, {}, {}}), std::nullopt);
}

struct Case {
  const char* what;
  Bar bar;
  int width;
  const char* line;
};

TEST(RenderBar, LeavesOutWhatDoesNotFit) {
  const Case cases[] = {
      {"wide", downloading(9, 45), 100,
       "A film                            ####................  20%      9.0/45.0 MiB    3.1 MiB/s     "
       "1:12"},
      {"usual", downloading(9, 45), 80,
       "A film               ##...........  20%      9.0/45.0 MiB    3.1 MiB/s     1:12"},
      {"no amount", downloading(9, 45), 60, "A film             ##...........  20%    3.1 MiB/s     1:12"},
      {"no speed", downloading(9, 45), 45, "A film            ##..........  20%     1:12"},
      {"no bar", downloading(9, 45), 25, "A film               20%"},
      {"a slit", downloading(9, 45), 8, "A~  20%"},
      {"stage", {"A film", "post_processing", {}}, 80, "A film               ###.......... post processing"},
      {"stage without room", {"A film", "post_processing", {}}, 30, "A film        post processing"},
      {"unknown total", downloading(9, std::nullopt), 80,
       "A film               ###..........                9.0 MiB    3.1 MiB/s     1:12"},
  };
  for (const Case& c : cases) EXPECT_EQ(render_bar(c.bar, c.width, Millis{0}, {}), c.line) << c.what;
}

TEST(RenderBar, StaysNarrowerThanTheTerminalWhateverItShows) {
  Bar bars[] = {downloading(9, 45),
                downloading(9, std::nullopt),
                {"\u65e5\u672c\u8a9e\u65e5\u672c\u8a9e", "extracting", {}}};
  bars[1].progress = {std::int64_t{1} << 62, 3, 1e17, 1e8};
  for (const Bar& bar : bars) {
    for (int width = 1; width < 200; ++width) {
      for (const Style style : {Style{}, Style{.colour = true, .unicode = true}}) {
        EXPECT_LT(columns(render_bar(bar, width, Millis{700}, style)), width) << bar.name << " " << width;
      }
    }
  }
}

TEST(RenderBar, LetsABlockWanderWhileTheTotalIsUnknown) {
  const auto bar_at = [](int ms) {
    return render_bar({"x", "extracting", {}}, 45, Millis{ms}, {}).substr(18, 12);
  };
  EXPECT_EQ(bar_at(0), "###.........");
  EXPECT_EQ(bar_at(100), ".###........");
  EXPECT_EQ(bar_at(900), ".........###");
  EXPECT_EQ(bar_at(1000), "........###.");
  EXPECT_EQ(bar_at(1800), "###.........");
}

TEST(RenderBar, UsesColourAndLinesWhereTheTerminalHasThem) {
  const std::string line = render_bar(downloading(45, 45), 80, Millis{0}, {.colour = true, .unicode = true});
  EXPECT_TRUE(line.contains("\x1b[32m\u2501\u2501")) << line;
  EXPECT_FALSE(render_bar(downloading(9, 45), 80, Millis{0}, {.unicode = true}).contains('\x1b'));
}

TEST(RenderBar, KeepsTitlesFromMovingTheCursor) {
  EXPECT_FALSE(render_bar({"a\x1b[2Jb\n", "waiting", {}}, 80, Millis{0}, {}).contains('\x1b'));
}

TEST(RenderBars, CountsThoseThatDoNotFitTheScreen) {
  const std::vector<Bar> bars(5, downloading(9, 45));
  EXPECT_EQ(render_bars(bars, {80, 6}, Millis{0}, {}).size(), 5u);
  const auto few = render_bars(bars, {80, 5}, Millis{0}, {});
  ASSERT_EQ(few.size(), 4u);
  EXPECT_EQ(few.back(), "and 2 more");
  EXPECT_EQ(render_bars(bars, {80, 1}, Millis{0}, {}), std::vector<std::string>{"and 5 more"});
}

}  // namespace
}  // namespace trawl::cli
