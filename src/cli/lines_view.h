#pragma once

#include "cli/progress_view.h"

namespace trawl::cli {

class LinesView final : public ProgressView {
 public:
  enum class Detail { all, failures };

  LinesView(const Clock& clock, Style style, Writer write, Detail detail)
      : ProgressView(clock), style_(style), write_(std::move(write)), detail_(detail) {}

 protected:
  void on_started(const Download& download) override;
  void on_stage(const Download& download) override;
  void on_progress(const Download& download) override;
  void on_completed(const Download& download, const std::vector<std::string>& files) override;
  void on_failed(const Download& download, const Error& error) override;

 private:
  void say(const Download& download, std::string_view what);

  Style style_;
  Writer write_;
  Detail detail_;
  std::map<int, int> quarters_;  // How many quarters of a download have been reported.
};

}  // namespace trawl::cli
