#pragma once

#include "cli/progress_view.h"

namespace trawl::cli {

class BarsView final : public ProgressView {
 public:
  BarsView(const Clock& clock, Style style, Writer write, std::function<Size()> size);

  void tick() override;
  void close() override;

 protected:
  void on_started(const Download&) override { tick(); }
  void on_stage(const Download&) override { tick(); }
  void on_progress(const Download&) override { tick(); }
  void on_completed(const Download& download, const std::vector<std::string>& files) override;
  void on_failed(const Download& download, const Error& error) override;

 private:
  [[nodiscard]] std::string erase(int width) const;
  void draw(const std::vector<std::string>& bars, int width);

  Style style_;
  Writer write_;
  std::function<Size()> size_;
  SystemTime began_;
  Throttle throttle_{Millis{100}};
  std::string finished_;            // Lines that wait for the next drawing.
  std::vector<std::string> drawn_;  // The lines under the finished ones, as they stand.
};

}  // namespace trawl::cli
