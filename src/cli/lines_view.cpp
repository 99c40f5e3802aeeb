#include "cli/lines_view.h"

#include <fmt/format.h>

#include "cli/columns.h"
#include "cli/figures.h"

namespace trawl::cli {

void LinesView::on_started(const Download& download) {
  quarters_[download.id] = 0;
  if (detail_ == Detail::all) say(download, "started");
}

void LinesView::on_stage(const Download& download) {
  std::string stage = download.stage;
  std::ranges::replace(stage, '_', ' ');
  if (detail_ == Detail::all) say(download, stage);
}

void LinesView::on_progress(const Download& download) {
  const int quarter = std::min(percent_of(download.progress).value_or(0) / 25, 3);
  int& reported = quarters_[download.id];
  if (detail_ != Detail::all || quarter <= reported) return;
  reported = quarter;
  say(download, fmt::format("{}% of {}", quarter * 25, size_text(*download.progress.total_bytes)));
}

void LinesView::on_completed(const Download& download, const std::vector<std::string>& files) {
  quarters_.erase(download.id);
  if (detail_ != Detail::all) return;
  say(download,
      fmt::format("done, {} in {}", size_text(download.progress.downloaded_bytes), time_taken(download)));
  for (const std::string& file : files) write_(fmt::format("[{}]   {}\n", download.id, printable(file)));
}

void LinesView::on_failed(const Download& download, const Error& error) {
  quarters_.erase(download.id);
  say(download, fmt::format("FAILED: {} ({})", printable(error.message), error.reason));
}

void LinesView::say(const Download& download, std::string_view what) {
  write_(fmt::format("[{}] {}: {}\n", download.id, printable(download.name(), !style_.unicode), what));
}

}  // namespace trawl::cli
