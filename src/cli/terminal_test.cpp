#include "cli/terminal.h"

#include <cstdlib>
#include <fcntl.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <gtest/gtest.h>

namespace trawl::cli {
namespace {

TEST(Terminal, IsDrawnOnOnlyWhenItCanBe) {
  EXPECT_TRUE(describe_terminal({{"TERM", "xterm"}}, true).interactive);
  EXPECT_FALSE(describe_terminal({{"TERM", "xterm"}}, false).interactive);
  EXPECT_FALSE(describe_terminal({{"TERM", "dumb"}}, true).interactive);
  EXPECT_FALSE(describe_terminal({}, true).interactive);
}

TEST(Terminal, HasNoColourWhereNobodyWantsIt) {
  EXPECT_TRUE(describe_terminal({{"TERM", "xterm"}, {"NO_COLOR", ""}}, true).style.colour);
  EXPECT_FALSE(describe_terminal({{"TERM", "xterm"}, {"NO_COLOR", "1"}}, true).style.colour);
  EXPECT_FALSE(describe_terminal({{"TERM", "xterm"}}, false).style.colour);
}

TEST(Terminal, SpeaksUtf8WhenTheStrongestLocaleDoes) {
  EXPECT_TRUE(describe_terminal({{"LANG", "de_DE.UTF-8"}}, true).style.unicode);
  EXPECT_TRUE(describe_terminal({{"LC_CTYPE", "C.utf8"}}, true).style.unicode);
  EXPECT_FALSE(describe_terminal({{"LC_ALL", "C"}, {"LANG", "de_DE.UTF-8"}}, true).style.unicode);
  EXPECT_FALSE(describe_terminal({}, true).style.unicode);
}

// A pseudo-terminal of a given size.
class PseudoTerminal {
 public:
  explicit PseudoTerminal(winsize size) : descriptor(posix_openpt(O_RDWR | O_NOCTTY)) {
    ioctl(descriptor, TIOCSWINSZ, &size);
  }
  ~PseudoTerminal() { close(descriptor); }
  int descriptor;
};

TEST(TerminalSize, IsWhatTheTerminalSaysOrTheUsual) {
  const PseudoTerminal terminal({.ws_row = 10, .ws_col = 40, .ws_xpixel = 0, .ws_ypixel = 0});
  EXPECT_EQ(terminal_size(terminal.descriptor).columns, 40);
  EXPECT_EQ(terminal_size(terminal.descriptor).rows, 10);
  const PseudoTerminal silent({});
  EXPECT_EQ(terminal_size(silent.descriptor).columns, 80);
  EXPECT_EQ(terminal_size(-1).rows, 24);
}

}  // namespace
}  // namespace trawl::cli
