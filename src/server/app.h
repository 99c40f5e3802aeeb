#pragma once

#include <memory>
#include <optional>

#include "access/cookie_store.h"
#include "async/blocking_pool.h"
#include "base/clock.h"
#include "downloads/batch_expansion.h"
#include "downloads/batch_keeper.h"
#include "downloads/disk_watch.h"
#include "downloads/downloads.h"
#include "downloads/housekeeping.h"
#include "downloads/lister.h"
#include "downloads/looks.h"
#include "downloads/pipeline.h"
#include "downloads/presets.h"
#include "downloads/subscriptions.h"
#include "downloads/uploads.h"
#include "engine/engine.h"
#include "events/event_log.h"
#include "jobs/idempotency.h"
#include "jobs/overview.h"
#include "jobs/worker.h"
#include "net/egress_proxy.h"
#include "server/config.h"
#include "server/engine_keeper.h"
#include "server/figures.h"
#include "server/neighbours.h"
#include "server/pot_watch.h"
#include "server/storage_config.h"
#include "storage/scrub.h"
#include "storage/storage.h"
#include "transfer/mover.h"
#include "webhooks/service.h"

namespace trawl::server {

// Everything but the front: the objects of one Trawl process, built bottom up from the
// configuration. `trawl serve` puts HTTP before it, `trawl get` a terminal.
class App {
 public:
  App(asio::io_context& context, const Config& config);

  // Opens database and storage and takes back what an earlier process left running.
  [[nodiscard]] Task<Result<void>> open();
  // Warms the engine and begins to work. Submissions are accepted before that; they wait.
  [[nodiscard]] Task<Result<void>> start_work();
  // Tells where this process listens, which no download may reach.
  void listens_on(std::uint16_t port) { policy_.close_own_port(port); }
  // Lets running downloads finish for `grace` and gives the others back to the queue.
  [[nodiscard]] Task<void> drain(std::chrono::milliseconds grace);
  // Ends a drain under way at once.
  void hasten();
  // Ends everything else; nothing may be submitted any more.
  [[nodiscard]] Task<void> close();

  [[nodiscard]] downloads::Downloads& downloads() { return *downloads_; }
  [[nodiscard]] downloads::Batches& batches() { return *batches_; }
  [[nodiscard]] downloads::Presets& presets() { return *presets_; }
  [[nodiscard]] downloads::Subscriptions& subscriptions() { return *subscriptions_; }
  [[nodiscard]] downloads::Uploads& uploads() { return *uploads_; }
  [[nodiscard]] downloads::Looks& looks() { return *looks_; }
  [[nodiscard]] const net::EgressPolicy& policy() const { return policy_; }
  [[nodiscard]] db::Database& database() { return *database_; }
  [[nodiscard]] access::CookieStore& cookies() { return *cookies_; }
  [[nodiscard]] storage::ArtifactStore& storage() { return *storage_; }
  [[nodiscard]] storage::Scrub& scrub() { return *scrub_; }
  [[nodiscard]] webhooks::Service& webhooks() { return *webhooks_; }
  [[nodiscard]] jobs::Overview& overview() { return *overview_; }
  [[nodiscard]] jobs::Idempotency& idempotency() { return *idempotency_; }
  [[nodiscard]] const std::string& worker_name() const { return name_; }
  [[nodiscard]] engine::Engine& engine() { return *engine_; }
  [[nodiscard]] Figures& figures() { return figures_; }
  // All figures as they are now, once the app is open.
  [[nodiscard]] Task<std::string> figures_text() {
    return figures_.text({*engine_, *proxy_, *downloads_, *storage_});
  }
  [[nodiscard]] const PotWatch& pot_watch() const { return pot_watch_; }
  [[nodiscard]] updates::Updater& updater() { return *updater_; }
  [[nodiscard]] BlockingPool& files() { return files_; }
  [[nodiscard]] const Clock& clock() const { return clock_; }
  [[nodiscard]] std::size_t running() const { return worker_ ? worker_->running() : 0; }

 private:
  // Other processes may use the same database.
  [[nodiscard]] bool shared_database() const { return postgres_url(config_.db.url); }
  [[nodiscard]] Task<Result<void>> open_storage(std::filesystem::path root);
  [[nodiscard]] storage::Scrub::Options scrub_options();
  void build_worker();
  void build_engine();
  [[nodiscard]] Task<Result<void>> start_engine();
  [[nodiscard]] Task<jobs::Outcome> work(jobs::Run& run);
  [[nodiscard]] Task<void> resume_waiting();

  Config config_;
  const std::string name_;  // Unique per process start.
  asio::any_io_executor executor_;
  SystemClock clock_;
  Figures figures_;  // Before everything that tells it something.
  BlockingPool files_;
  events::Bus bus_;
  net::EgressPolicy policy_;
  net::UpstreamPool upstreams_;
  std::unique_ptr<net::EgressProxy> proxy_;
  std::optional<engine::Switch> engine_;
  std::unique_ptr<transfer::HttpClient> client_;
  PotWatch pot_watch_;
  transfer::Mover mover_;
  downloads::Lister lister_;
  std::unique_ptr<db::Database> database_;
  std::optional<events::EventLog> log_;
  std::optional<webhooks::Service> webhooks_;
  std::optional<jobs::JobStore> store_;
  std::optional<jobs::Overview> overview_;
  std::optional<jobs::Idempotency> idempotency_;
  std::optional<BucketAccess> bucket_;
  std::optional<storage::ArtifactStore> storage_;
  std::optional<storage::Scrub> scrub_;
  std::optional<access::CookieStore> cookies_;
  std::optional<downloads::DiskWatch> disk_watch_;
  std::optional<updates::Updater> updater_;
  std::optional<EngineKeeper> engine_keeper_;
  std::optional<downloads::Pipeline> pipeline_;
  std::optional<Neighbours> neighbours_;
  std::optional<jobs::Worker> worker_;
  std::optional<downloads::Housekeeping> housekeeping_;
  std::optional<downloads::Downloads> downloads_;
  std::optional<downloads::Batches> batches_;
  std::optional<downloads::Presets> presets_;
  std::optional<downloads::BatchExpansion> expansion_;
  std::optional<downloads::Looks> looks_;
  std::optional<downloads::Uploads> uploads_;
  std::optional<downloads::BatchKeeper> keeper_;
  std::optional<downloads::Subscriptions> subscriptions_;
  Scope hastening_;
  bool working_ = false;
};

}  // namespace trawl::server
