#pragma once

#include "base/json.h"
#include "cli/progress_view.h"

namespace trawl::cli {

class JsonView final : public ProgressView {
 public:
  JsonView(const Clock& clock, Writer write) : ProgressView(clock), write_(std::move(write)) {}

  void tick() override;

 protected:
  void on_started(const Download& download) override;
  void on_stage(const Download& download) override { report(download); }
  void on_progress(const Download& download) override { report(download); }
  void on_completed(const Download& download, const std::vector<std::string>& files) override;
  void on_failed(const Download& download, const Error& error) override;

 private:
  struct Pace {
    Throttle throttle{Millis{1000}};
    bool news = false;  // Something changed since the last line.
  };

  void report(const Download& download);
  void write_progress(const Download& download, Pace& pace);
  void write_event(std::string_view event, const Download& download, json::object more);

  Writer write_;
  std::map<int, Pace> paces_;
};

}  // namespace trawl::cli
