#include "cli/bars_view.h"

#include <fmt/format.h>

#include "cli/columns.h"
#include "cli/figures.h"
#include "cli/progress_bar.h"

namespace trawl::cli {
namespace {

std::string mark(bool good, Style style) {
  const std::string text = style.unicode ? (good ? "\u2713" : "\u2717") : (good ? "done:" : "FAILED:");
  return style.colour ? fmt::format("\x1b[{}m{}\x1b[0m", good ? 32 : 31, text) : text;
}

}  // namespace

BarsView::BarsView(const Clock& clock, Style style, Writer write, std::function<Size()> size)
    : ProgressView(clock), style_(style), write_(std::move(write)), size_(std::move(size)), began_(now()) {}

void BarsView::tick() {
  if (downloads().empty() && finished_.empty() && drawn_.empty()) return;
  if (!throttle_.due(now())) return;
  std::vector<Bar> bars;
  for (const auto& [id, download] : downloads())
    bars.push_back({download.name(), download.stage, download.progress});
  const Size size = size_();
  draw(render_bars(bars, size, std::max(now() - began_, Millis{0}), style_), size.columns);
}

void BarsView::close() {
  draw({}, size_().columns);
}

void BarsView::on_completed(const Download& download, const std::vector<std::string>& files) {
  finished_ +=
      fmt::format("{} {}  {} in {}\n", mark(true, style_), printable(download.name(), !style_.unicode),
                  size_text(download.progress.downloaded_bytes), time_taken(download));
  for (const std::string& file : files) finished_ += fmt::format("  {}\n", printable(file));
  tick();
}

void BarsView::on_failed(const Download& download, const Error& error) {
  finished_ +=
      fmt::format("{} {}  {} ({})\n", mark(false, style_), printable(download.name(), !style_.unicode),
                  printable(error.message), error.reason);
  tick();
}

// Takes back the drawn lines. A terminal made narrower since has wrapped them.
std::string BarsView::erase(int width) const {
  int rows = 0;
  for (const std::string& line : drawn_)
    rows += std::max(1, (columns(line) + width - 1) / std::max(width, 1));
  return rows == 0 ? "" : fmt::format("\r\x1b[{}A\x1b[J", rows);
}

void BarsView::draw(const std::vector<std::string>& bars, int width) {
  std::string out = erase(width) + finished_;
  for (const std::string& bar : bars) out += bar + "\n";
  if (!out.empty()) write_(out);
  finished_.clear();
  drawn_ = bars;
}

}  // namespace trawl::cli
