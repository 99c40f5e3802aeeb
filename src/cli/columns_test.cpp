#include "cli/columns.h"

#include <gtest/gtest.h>

namespace trawl::cli {
namespace {

TEST(Columns, CountsWhatATerminalShows) {
  EXPECT_EQ(columns("plain"), 5);
  EXPECT_EQ(columns("caf\u00e9"), 4);
  EXPECT_EQ(columns("cafe\u0301"), 4);  // e and a combining accent
  EXPECT_EQ(columns("\u65e5\u672c\u8a9e"), 6);
  EXPECT_EQ(columns("\U0001F600"), 2);
  EXPECT_EQ(columns("\x1b[32m##\x1b[0m."), 3);
  EXPECT_EQ(columns("\x1b[32"), 0);
}

TEST(Fit, FillsOrCutsToExactlyTheWidth) {
  EXPECT_EQ(fit("abc", 5, "~"), "abc  ");
  EXPECT_EQ(fit("abcde", 5, "~"), "abcde");
  EXPECT_EQ(fit("abcdef", 5, "~"), "abcd~");
  EXPECT_EQ(fit("abcdef", 1, "~"), "~");
  EXPECT_EQ(fit("abcdef", 2, "..."), "..");
  EXPECT_EQ(fit("abc", 0, "~"), "");
}

TEST(Fit, NeverCutsAWideCharacterInHalf) {
  const std::string title = "\u65e5\u672c\u8a9e";
  EXPECT_EQ(fit(title, 5, "\u2026"), "\u65e5\u672c\u2026");
  EXPECT_EQ(fit(title, 4, "\u2026"), "\u65e5\u2026 ");
  for (int width = 0; width < 10; ++width) EXPECT_EQ(columns(fit(title, width, "\u2026")), width);
}

TEST(Fit, KeepsCombiningMarksWithTheirCharacter) {
  EXPECT_EQ(fit("e\u0301e\u0301e\u0301", 2, "~"), "e\u0301~");
}

TEST(Printable, TakesTheTeethOutOfTitles) {
  EXPECT_EQ(printable("a\x1b[2Jb"), "a [2Jb");
  EXPECT_EQ(printable("two\nlines\r"), "two lines");
  EXPECT_EQ(printable("exe\u202egpj"), "exegpj");
  EXPECT_EQ(printable("a\u009bb\u2028c"), "a b c");
  EXPECT_EQ(printable("bad\xff"), "bad\uFFFD");
  EXPECT_EQ(printable("caf\u00e9 \u65e5", true), "caf? ?");
}

}  // namespace
}  // namespace trawl::cli
