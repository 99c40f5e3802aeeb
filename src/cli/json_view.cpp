#include "cli/json_view.h"

namespace trawl::cli {

void JsonView::tick() {
  for (const auto& [id, download] : downloads()) {
    Pace& pace = paces_[id];
    if (pace.news) write_progress(download, pace);
  }
}

void JsonView::on_started(const Download& download) {
  paces_[download.id] = {};
  write_event("started", download, {});
}

void JsonView::on_completed(const Download& download, const std::vector<std::string>& files) {
  paces_.erase(download.id);
  write_event("completed", download, {{"files", encode(files)}});
}

void JsonView::on_failed(const Download& download, const Error& error) {
  paces_.erase(download.id);
  write_event("failed", download, {{"error_code", error.reason}, {"error", encode(error.message)}});
}

void JsonView::report(const Download& download) {
  Pace& pace = paces_[download.id];
  pace.news = true;
  write_progress(download, pace);
}

void JsonView::write_progress(const Download& download, Pace& pace) {
  if (!pace.throttle.due(now())) return;
  pace.news = false;
  json::object more = encode(download.progress).as_object();
  more["stage"] = encode(download.stage);
  write_event("progress", download, std::move(more));
}

void JsonView::write_event(std::string_view event, const Download& download, json::object more) {
  json::object line{{"event", event}, {"id", download.id}, {"url", encode(download.url)}};
  if (!download.title.empty()) line["title"] = encode(download.title);
  for (auto& [key, value] : more) line[key] = std::move(value);
  write_(json::serialize(line) + "\n");
}

}  // namespace trawl::cli
