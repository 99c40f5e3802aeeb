#include "cli/progress_view.h"

#include "cli/bars_view.h"
#include "cli/figures.h"
#include "cli/json_view.h"
#include "cli/lines_view.h"

namespace trawl::cli {

void ProgressView::started(int id, std::string url) {
  Download& download = downloads_[id];
  download = {.id = id, .url = std::move(url), .title = {}, .progress = {}, .started = now()};
  on_started(download);
}

void ProgressView::named(int id, std::string title) {
  if (Download* download = find(id)) download->title = std::move(title);
}

void ProgressView::stage(int id, std::string stage) {
  Download* download = find(id);
  if (!download || download->stage == stage) return;
  download->stage = std::move(stage);
  on_stage(*download);
}

void ProgressView::progress(int id, const media::Progress& progress) {
  Download* download = find(id);
  if (!download) return;
  download->progress = progress;
  on_progress(*download);
}

void ProgressView::completed(int id, std::vector<std::string> files) {
  const auto node = downloads_.extract(id);
  if (node) on_completed(node.mapped(), files);
}

void ProgressView::failed(int id, const Error& error) {
  const auto node = downloads_.extract(id);
  if (node) on_failed(node.mapped(), error);
}

std::string ProgressView::time_taken(const Download& download) const {
  return duration_text(std::chrono::duration<double>(std::max(now() - download.started, Millis{0})).count());
}

ProgressView::Download* ProgressView::find(int id) {
  const auto found = downloads_.find(id);
  return found == downloads_.end() ? nullptr : &found->second;
}

bool Throttle::due(SystemTime now) {
  if (last_ && now >= *last_ && now - *last_ < interval_) return false;
  last_ = now;
  return true;
}

Output choose_output(bool json, bool quiet, const Terminal& terminal) {
  if (json) return Output::json;
  if (quiet) return Output::quiet;
  return terminal.interactive ? Output::bars : Output::lines;
}

std::unique_ptr<ProgressView> make_progress_view(Output output, Style style, const Clock& clock, Writer write,
                                                 std::function<Size()> size) {
  switch (output) {
    case Output::bars:
      return std::make_unique<BarsView>(clock, style, std::move(write), std::move(size));
    case Output::json:
      return std::make_unique<JsonView>(clock, std::move(write));
    case Output::lines:
      return std::make_unique<LinesView>(clock, style, std::move(write), LinesView::Detail::all);
    case Output::quiet:
      return std::make_unique<LinesView>(clock, style, std::move(write), LinesView::Detail::failures);
  }
  return nullptr;
}

}  // namespace trawl::cli
