#pragma once

#include "metrics/registry.h"

namespace trawl::metrics {

// What the kernel says of this process, under the names that every Prometheus client gives it.
class ProcessFigures {
 public:
  explicit ProcessFigures(Registry& registry);
  // Reads /proc; to be called before the figures are shown.
  void refresh();

 private:
  Counter& cpu_;
  Gauge& resident_;
  Gauge& open_files_;
};

}  // namespace trawl::metrics
