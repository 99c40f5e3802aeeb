#pragma once

#include <functional>
#include <string>

#include "async/task.h"
#include "http/router.h"

namespace trawl::api {

// GET /metrics for Prometheus, and for who asks for JSON the statistics of GET /stats (docs/metrics.md).
class MetricsRoutes {
 public:
  using Text = std::function<Task<std::string>()>;                        // All figures, as they are now.
  using Statistics = std::function<Task<http::Response>(http::Request)>;  // A StatsView.

  // `open`: nobody is asked for a key.
  MetricsRoutes(Text text, Statistics statistics, bool open)
      : text_(std::move(text)), statistics_(std::move(statistics)), open_(open) {}
  void add_to(http::Router& router);

 private:
  [[nodiscard]] Task<http::Response> show(http::Request request);

  Text text_;
  Statistics statistics_;
  bool open_;
};

}  // namespace trawl::api
