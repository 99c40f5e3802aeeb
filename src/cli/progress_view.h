#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "cli/terminal.h"
#include "media/plan.h"

namespace trawl::cli {

// Tells a person, or a program, how several downloads are getting on. The caller reports what happens
// and calls tick() about ten times a second; the view decides what is worth writing. Reports about a
// download that has not started or is over are ignored, as the last ones may come late.
class ProgressView {
 public:
  explicit ProgressView(const Clock& clock) : clock_(clock) {}
  virtual ~ProgressView() = default;
  ProgressView(const ProgressView&) = delete;
  ProgressView& operator=(const ProgressView&) = delete;

  void started(int id, std::string url);
  void named(int id, std::string title);
  void stage(int id, std::string stage);
  void progress(int id, const media::Progress& progress);
  void completed(int id, std::vector<std::string> files);
  void failed(int id, const Error& error);

  virtual void tick() {}
  // Writes what is still held back; the last call.
  virtual void close() {}

 protected:
  struct Download {
    int id = 0;
    std::string url;
    std::string title;
    std::string stage = "waiting";
    media::Progress progress;
    SystemTime started;

    [[nodiscard]] const std::string& name() const { return title.empty() ? url : title; }
  };

  virtual void on_started(const Download&) {}
  virtual void on_stage(const Download&) {}
  virtual void on_progress(const Download&) {}
  virtual void on_completed(const Download&, const std::vector<std::string>& files) = 0;
  virtual void on_failed(const Download&, const Error& error) = 0;

  [[nodiscard]] SystemTime now() const { return clock_.now(); }
  [[nodiscard]] std::string time_taken(const Download& download) const;  // "0:12"
  [[nodiscard]] const std::map<int, Download>& downloads() const { return downloads_; }

 private:
  Download* find(int id);

  const Clock& clock_;
  std::map<int, Download> downloads_;
};

// Whether the interval has passed since the last time this said so. A clock set back counts as passed.
class Throttle {
 public:
  explicit Throttle(Millis interval) : interval_(interval) {}
  [[nodiscard]] bool due(SystemTime now);

 private:
  Millis interval_;
  std::optional<SystemTime> last_;
};

enum class Output { bars, lines, json, quiet };

// What suits the options and the terminal.
[[nodiscard]] Output choose_output(bool json, bool quiet, const Terminal& terminal);

using Writer = std::function<void(std::string_view text)>;

// bars:  a line per download, drawn over at most ten times a second; finished ones scroll up above.
// lines: a line at the start, at each stage, at 25, 50 and 75 %, and at the end.
// json:  an object per line: started, progress (at most one a second each), completed, failed.
// quiet: a line for each failure.
// `write` gets whole lines, or a whole drawing; `size` is asked at each drawing.
[[nodiscard]] std::unique_ptr<ProgressView> make_progress_view(Output output, Style style, const Clock& clock,
                                                               Writer write, std::function<Size()> size);

}  // namespace trawl::cli
