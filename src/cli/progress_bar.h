#pragma once

#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "cli/terminal.h"
#include "media/plan.h"

namespace trawl::cli {

// A download that is going on, as its line shows it.
struct Bar {
  std::string name;   // Whatever the site calls it; made printable here.
  std::string stage;  // "waiting", "extracting", "downloading", "post_processing", ...
  media::Progress progress;
};

// One line without its end, always narrower than `width`: name, bar, percent, amount, speed, time
// left. What does not fit is left out, the amount first. A stage other than downloading shows its
// name in place of the figures, and an unknown total a block that wanders with `elapsed`.
[[nodiscard]] std::string render_bar(const Bar& bar, int width, Millis elapsed, Style style);

// The lines of all of them, at most one less than the terminal has; a last one counts those left out.
[[nodiscard]] std::vector<std::string> render_bars(std::span<const Bar> bars, Size size, Millis elapsed,
                                                   Style style);

}  // namespace trawl::cli
