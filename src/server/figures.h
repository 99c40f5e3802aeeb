#pragma once

#include <chrono>
#include <string>
#include <string_view>

#include "async/task.h"
#include "base/result.h"
#include "downloads/downloads.h"
#include "downloads/extractor_outcomes.h"
#include "engine/engine.h"
#include "events/bus.h"
#include "http/router.h"
#include "metrics/label.h"
#include "metrics/process.h"
#include "metrics/registry.h"
#include "net/egress_proxy.h"
#include "storage/storage.h"

namespace trawl::server {

// Everything that GET /metrics tells (docs/metrics.md). What happens is counted as it does, by the listeners
// that the parts of the program are given; what is true at a moment is read when somebody asks.
class Figures {
 public:
  Figures();

  // What is read when somebody asks.
  struct Sources {
    engine::Engine& engine;
    const net::EgressProxy& proxy;
    downloads::Downloads& downloads;
    storage::ArtifactStore& storage;
  };
  [[nodiscard]] Task<std::string> text(Sources sources);

  // Listeners; on any thread unless said otherwise.
  void job_event(const events::Event& event);
  void claimed(Millis waited);
  void attempt_ended(const downloads::Attempted& attempted);
  void child_started(std::chrono::steady_clock::duration took);
  void host_lost();
  void egress_refused(std::string_view reason);
  void received(std::size_t bytes);
  void file_checked(storage::Integrity found, std::int64_t bytes);
  void answered(const http::Endpoint* route, int status, std::chrono::steady_clock::duration took);

  [[nodiscard]] metrics::Registry& registry() { return registry_; }

 private:
  void show_engine(const engine::Engine& engine);
  void show_traffic(const net::EgressProxy& proxy);
  [[nodiscard]] Task<void> show_jobs(downloads::Downloads& downloads);
  [[nodiscard]] Task<void> show_storage(storage::ArtifactStore& storage);

  metrics::Registry registry_;
  metrics::ProcessFigures process_;
  metrics::OpenLabel extractor_names_;
  metrics::Family<metrics::Counter> jobs_ended_, attempts_, refusals_, transferred_, requests_, checked_;
  metrics::Family<metrics::Gauge> jobs_, engine_info_, sandbox_info_, damaged_;
  metrics::Family<metrics::Histogram> request_time_;
  metrics::Counter &retries_, &proxy_connections_, &hosts_lost_, &checked_bytes_;
  metrics::Gauge &in_flight_, &queue_size_, &engine_up_, &storage_used_, &storage_total_, &storage_free_;
  metrics::Histogram &job_time_, &queue_wait_, &child_start_;
};

}  // namespace trawl::server
