#include "cli/progress_bar.h"

#include <cmath>

#include <fmt/format.h>

#include "cli/columns.h"
#include "cli/figures.h"

namespace trawl::cli {
namespace {

// Widths of the columns, each with the space before it.
constexpr int kPercent = 5;
constexpr int kAmount = 18;
constexpr int kSpeed = 13;
constexpr int kLeft = 9;
constexpr int kMinName = 12, kMaxName = 48;
constexpr int kMinBar = 11, kMaxBar = 41;

struct Layout {
  int name = 0, bar = 0, percent = 0, amount = 0, speed = 0, left = 0;
  [[nodiscard]] int figures() const { return percent + amount + speed + left; }
};

Layout lay_out(int width) {
  if (width < kMinName + kPercent)
    return {.name = std::max(width - kPercent, 0), .percent = std::min(width, kPercent)};
  Layout out{.name = kMinName, .percent = kPercent};
  int spare = width - kMinName - kPercent;
  const auto take = [&](int& column, int wanted) {
    if (spare < wanted) return false;
    column = wanted;
    spare -= wanted;
    return true;
  };
  // In the order in which they are missed; the first that does not fit ends it.
  (void)(take(out.bar, kMinBar) && take(out.left, kLeft) && take(out.speed, kSpeed) &&
         take(out.amount, kAmount));
  const int more_bar = out.bar > 0 ? std::min(spare / 3, kMaxBar - out.bar) : 0;
  out.bar += more_bar;
  out.name += std::min(spare - more_bar, kMaxName - out.name);
  return out;
}

std::string repeat(std::string_view text, int times) {
  std::string out;
  for (int i = 0; i < times; ++i) out += text;
  return out;
}

std::string painted(std::string text, std::string_view colour, Style style) {
  return style.colour && !text.empty() ? fmt::format("\x1b[{}m{}\x1b[0m", colour, text) : text;
}

// `filled` cells from `begin` on, of `width`.
std::string cells(int begin, int filled, int width, Style style) {
  const std::string_view full = style.unicode ? "\u2501" : "#";
  const std::string_view empty = style.unicode ? "\u2500" : ".";
  return painted(repeat(empty, begin), "2", style) + painted(repeat(full, filled), "32", style) +
         painted(repeat(empty, width - begin - filled), "2", style);
}

std::string share_cells(const media::Progress& progress, int width, Style style) {
  const double share =
      static_cast<double>(progress.downloaded_bytes) / static_cast<double>(progress.total_bytes.value_or(1));
  const int filled = static_cast<int>(std::clamp(share, 0.0, 1.0) * width);
  return cells(0, filled, width, style);
}

// A block that goes to and fro, a cell every 100 ms.
std::string wandering_cells(int width, Millis elapsed, Style style) {
  const int block = std::max(1, width / 4);
  const std::int64_t way = width - block;
  if (way == 0) return cells(0, block, width, style);
  const std::int64_t step = (elapsed.count() / 100) % (2 * way);
  return cells(static_cast<int>(step <= way ? step : 2 * way - step), block, width, style);
}

std::string right(std::string_view text, int width, std::string_view ellipsis) {
  const int used = columns(text);
  return used <= width ? std::string(static_cast<std::size_t>(width - used), ' ') + std::string(text)
                       : fit(text, width, ellipsis);
}

std::string figures_of(const media::Progress& progress, const Layout& layout, std::string_view ellipsis) {
  const auto percent = percent_of(progress);
  const std::string left = progress.eta ? duration_text(*progress.eta) : "";
  return right(percent ? fmt::format(" {}%", *percent) : "", layout.percent, ellipsis) +
         right(amount_text(progress), layout.amount, ellipsis) +
         right(speed_text(progress.speed), layout.speed, ellipsis) + right(left, layout.left, ellipsis);
}

std::string stage_word(std::string_view stage) {
  std::string out = printable(stage);
  std::ranges::replace(out, '_', ' ');
  return out;
}

}  // namespace

std::string render_bar(const Bar& bar, int width, Millis elapsed, Style style) {
  const std::string_view ellipsis = style.unicode ? "\u2026" : "~";
  const Layout layout = lay_out(width - 1);  // A full last column makes some terminals wrap.
  std::string line = fit(printable(bar.name, !style.unicode), layout.name, ellipsis);

  const bool downloading = bar.stage == "downloading";
  const std::string stage = stage_word(bar.stage);
  if (!downloading && columns(stage) >= layout.figures()) {
    return line + right(" " + stage, layout.bar + layout.figures(), ellipsis);
  }
  if (layout.bar > 0) {
    const bool known = downloading && percent_of(bar.progress).has_value();
    line += " " + (known ? share_cells(bar.progress, layout.bar - 1, style)
                         : wandering_cells(layout.bar - 1, elapsed, style));
  }
  return line + (downloading ? figures_of(bar.progress, layout, ellipsis) : " " + stage);
}

std::vector<std::string> render_bars(std::span<const Bar> bars, Size size, Millis elapsed, Style style) {
  const auto room = static_cast<std::size_t>(std::max(size.rows - 1, 1));
  const std::size_t shown = bars.size() <= room ? bars.size() : room - 1;
  std::vector<std::string> out;
  for (const Bar& bar : bars.first(shown)) out.push_back(render_bar(bar, size.columns, elapsed, style));
  if (shown < bars.size()) {
    const std::string rest = fmt::format("and {} more", bars.size() - shown);
    out.push_back(columns(rest) < size.columns ? rest : fit(rest, size.columns - 1, ""));
  }
  return out;
}

}  // namespace trawl::cli
