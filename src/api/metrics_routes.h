#pragma once

#include <functional>
#include <string>

#include "async/task.h"
#include "http/router.h"

namespace trawl::api {

// GET /metrics for Prometheus (docs/metrics.md).
class MetricsRoutes {
 public:
  using Text = std::function<Task<std::string>()>;  // All figures, as they are now.

  // `open`: nobody is asked for a key.
  MetricsRoutes(Text text, bool open) : text_(std::move(text)), open_(open) {}
  void add_to(http::Router& router);

 private:
  [[nodiscard]] Task<http::Response> show(http::Request request);

  Text text_;
  bool open_;
};

}  // namespace trawl::api
