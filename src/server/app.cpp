#include "server/app.h"

#include <cmath>
#include <fstream>
#include <thread>
#include <unistd.h>

#include <fmt/format.h>

#include "base/log.h"
#include "server/egress_config.h"
#include "server/engine_options.h"
#include "server/preset_config.h"
#include "server/secrets.h"
#include "server/update_options.h"

namespace trawl::server {
namespace {

using std::chrono::seconds;

// Unique per process start, so that a lease of an earlier process is never taken for our own.
std::string make_worker_name() {
  char host[256] = "localhost";
  gethostname(host, sizeof host - 1);
  std::string boot;
  std::ifstream("/proc/sys/kernel/random/boot_id") >> boot;
  return fmt::format("{}.{}.{}.{}", host, boot.substr(0, 8), getpid(), random_hex(4));
}

transfer::ClientLimits observed(transfer::ClientLimits limits, Figures& figures) {
  limits.on_received = [&figures](std::size_t bytes) { figures.received(bytes); };
  return limits;
}

jobs::JobStore::Options store_options(const Config& config) {
  return {.budgets = {.failures = config.download.max_retries,
                      .crashes = config.dlq.max_crashes,
                      .lost_workers = config.dlq.max_deliveries},
          .caps = {.per_tenant = config.jobs.max_running_per_owner,
                   .per_origin = config.jobs.max_running_per_host},
          .depths = {.total = config.download.queue_max, .per_tenant = config.jobs.max_queued_per_owner},
          .breaker = {.failures = config.breaker.failures,
                      .failed_percent = config.breaker.failed_percent,
                      .min_calls = config.breaker.min_calls,
                      .window = seconds(config.breaker.window_sec),
                      .open = seconds(config.breaker.open_sec)}};
}

webhooks::Options webhook_options(const Config& config) {
  webhooks::Options options;
  options.enabled = config.webhook.enabled;
  options.allow_private_networks = config.webhook.allow_private_networks;
  options.public_url = config.server.public_url;
  options.poster.timeout = seconds(config.webhook.timeout_sec);
  options.poster.user_agent = "Ultimate-Media-Downloader-Webhook/" TRAWL_VERSION;
  for (const std::string& text : config.webhook.secret)
    options.poster.secrets.push_back(
        webhooks::parse_secret(text).value());  // Checked with the configuration.
  if (options.poster.secrets.empty() && !config.auth.api_key.empty())
    options.poster.secrets.push_back({config.auth.api_key});
  options.sender.schedule = {.attempts = config.webhook.attempts, .backoff = config.webhook.backoff};
  options.sender.lease = 2 * options.poster.timeout + seconds(30);
  return options;
}

net::EgressProxy::Options proxy_options(const Config& config, Figures& figures) {
  return {.service = pot_provider(config.engine),
          .on_limit = [&figures](std::string_view reason) { figures.egress_refused(reason); }};
}

engine::EngineOptions observed(engine::EngineOptions options, Figures& figures) {
  options.on_child_started = [&figures](auto took) { figures.child_started(took); };
  options.on_host_lost = [&figures] { figures.host_lost(); };
  return options;
}

std::optional<seconds> retention(const Config& config) {
  if (config.storage.retention_hours <= 0) return std::nullopt;
  return seconds(static_cast<std::int64_t>(config.storage.retention_hours * 3600));
}

downloads::PipelineLimits pipeline_limits(const Config& config, Figures& figures) {
  const std::size_t cores = std::max(1U, std::thread::hardware_concurrency());
  downloads::PipelineLimits limits;
  limits.resolving = 2 * cores;
  limits.finishing = cores;
  limits.timeout = seconds(config.download.timeout_sec);
  limits.quiet_timeout = seconds(config.download.progress_timeout_sec);
  limits.max_bytes = config.download.max_bytes.value;
  limits.rate_limit = config.download.rate_limit_bytes.value;
  limits.native = config.transfer.native;
  limits.connections = static_cast<std::size_t>(config.transfer.connections);
  limits.cookies_file = config.download.cookies_file;
  limits.on_attempt = [&figures](const downloads::Attempted& attempted) { figures.attempt_ended(attempted); };
  limits.sponsorblock_api = config.media.sponsorblock_api;
  limits.live_poll = seconds(config.media.live_poll_sec);
  limits.live_silence = seconds(config.media.live_silence_sec);
  limits.retention = retention(config);
  return limits;
}

downloads::ListerLimits lister_limits(const Config& config) {
  downloads::ListerLimits limits;
  limits.at_once = std::max(2U, std::thread::hardware_concurrency());
  limits.max_entries = config.batch.max_entries;
  limits.cookies_file = config.download.cookies_file;
  return limits;
}

void report(const engine::Sandbox& sandbox) {
  std::string missing;
  for (const std::string& part : sandbox.missing) missing += (missing.empty() ? "" : "; ") + part;
  log_info("the sandbox of downloads", {{"tier", sandbox.tier},
                                        {"landlock", sandbox.landlock},
                                        {"private_users", sandbox.private_users},
                                        {"network_namespace", sandbox.network_namespace},
                                        {"cgroups", sandbox.cgroups}});
  if (sandbox.tier == "none")
    log_warn("downloads are not fully confined on this machine (sandbox.required is off)",
             {{"missing", missing}});
}

}  // namespace

App::App(asio::io_context& context, const Config& config)
    : config_(config),
      name_(make_worker_name()),
      executor_(context.get_executor()),
      files_(static_cast<std::size_t>(config.server.io_threads)),
      bus_(executor_),
      policy_(egress_rules(config.policy)),
      upstreams_(upstream_routes(config.upstream), seconds(config.upstream.cool_down_sec)),
      proxy_(net::make_egress_proxy(executor_, policy_, proxy_options(config, figures_))),
      engine_(std::in_place, executor_,
              engine::make_engine(executor_, observed(engine_options(config), figures_))),
      client_(
          transfer::make_http_client(executor_, policy_, observed(client_limits(config.transfer), figures_))),
      pot_watch_(executor_, pot_provider(config.engine)),
      mover_(*client_, files_),
      lister_(executor_, *engine_, *proxy_, upstreams_, policy_, files_,
              std::filesystem::absolute(config.storage.dir) / "listing", lister_limits(config)),
      hastening_(executor_) {
  policy_.on_refusal([this](std::string_view reason) { figures_.egress_refused(reason); });
}

Task<Result<void>> App::open() {
  log_egress(config_);
  const std::filesystem::path root = std::filesystem::absolute(config_.storage.dir);
  std::error_code failed;
  std::filesystem::create_directories(root, failed);
  if (failed)
    co_return fail(Errc::unavailable,
                   fmt::format("cannot create {}: {} (storage.dir)", root.string(), failed.message()));

  auto database =
      shared_database()
          ? db::open_postgres(config_.db.url, executor_, static_cast<std::size_t>(config_.db.connections))
          : db::open_sqlite(std::filesystem::absolute(sqlite_file(config_.db.url)), executor_);
  if (!database) co_return fail(database.error());
  database_ = std::move(*database);
  log_.emplace(*database_, bus_, clock_, config_.logs.max_lines_per_job);
  log_->on_recorded([this](const events::Event& event) { figures_.job_event(event); });
  webhooks_.emplace(executor_, *database_, *log_, bus_, clock_, webhook_options(config_));
  store_.emplace(*database_, *log_, store_options(config_), executor_);
  overview_.emplace(*database_);
  idempotency_.emplace(*database_);
  if (auto opened = co_await open_storage(root); !opened) co_return opened;
  if (auto opened = co_await lister_.open(); !opened) co_return opened;
  auto vault = open_vault(config_.cookies);
  if (!vault) co_return fail(vault.error());
  cookies_.emplace(*database_, clock_, std::move(*vault));
  auto presets = configured_presets(config_);
  if (!presets) co_return fail(presets.error());
  presets_.emplace(*database_, std::move(*presets));
  downloads_.emplace(*store_, *log_, bus_, *storage_, *webhooks_, policy_, *cookies_, *database_,
                     downloads::SubmitLimits{.low_disk_bytes = config_.storage.low_disk_bytes.value,
                                             .room = [this] { return disk_watch_->room(); },
                                             .can_impersonate =
                                                 [this](std::string_view browser) {
                                                   const auto versions = engine_->versions();
                                                   return versions.ytdlp.empty() ||
                                                          engine::offers(versions.impersonate, browser);
                                                 }});
  batches_.emplace(executor_, *database_, *store_, *downloads_, policy_, clock_);
  expansion_.emplace(executor_, *database_, *store_, *batches_, lister_, *cookies_);
  uploads_.emplace(*database_, *storage_, files_, clock_,
                   downloads::UploadLimits{.max_bytes = config_.storage.max_upload_bytes.value,
                                           .low_disk_bytes = config_.storage.low_disk_bytes.value,
                                           .retention = retention(config_)});
  looks_.emplace(
      executor_, lister_, *cookies_,
      downloads::LookCache::Limits{.keep = seconds(config_.metadata.cache_sec),
                                   .bytes = static_cast<std::size_t>(config_.metadata.cache_bytes.value)});
  keeper_.emplace(executor_, *database_, *batches_, bus_, clock_);
  subscriptions_.emplace(executor_, *database_, *batches_, *downloads_, policy_, clock_);
  build_worker();
  auto broker_keys = open_credentials(config_.broker.access_key, config_.broker.secret_key, clock_);
  if (!broker_keys) co_return fail(std::move(broker_keys.error()));
  neighbours_.emplace(executor_, config_, bus_, *store_, name_, std::move(*broker_keys));

  // Only one process opens an SQLite database, so whoever held these leases is gone. Over PostgreSQL
  // other nodes live: their leases run out by themselves if they do not.
  const auto taken_back = co_await store_->reap(!shared_database());
  if (!taken_back) co_return fail(taken_back.error());
  if (!shared_database()) {
    if (auto freed = co_await expansion_->take_back(); !freed) co_return freed;
  }
  if (*taken_back > 0) log_warn("downloads of an earlier process are queued again", {{"jobs", *taken_back}});
  co_return Result<void>();
}

Task<Result<void>> App::open_storage(std::filesystem::path root) {
  std::unique_ptr<storage::Blobs> blobs;
  if (config_.storage.backend == Backend::s3) {
    auto bucket = open_bucket(config_, executor_, clock_);
    if (!bucket) co_return fail(std::move(bucket.error()));
    bucket_ = std::move(*bucket);
    blobs = storage::make_object_blobs(
        *bucket_->objects, bucket_->delivery, files_, *database_, clock_,
        config_.storage_s3.early_parts ? storage::SendFrom::beginning : storage::SendFrom::whole_file);
  } else {
    blobs = storage::make_directory_blobs(root, files_, *database_);
  }
  storage_.emplace(
      root, std::move(blobs), files_, *database_, clock_,
      shared_database() ? storage::ArtifactStore::Nodes::many : storage::ArtifactStore::Nodes::one,
      config_.storage.quota_bytes.value);
  scrub_.emplace(executor_, *storage_, files_, *database_, scrub_options());
  co_return co_await storage_->open();
}

storage::Scrub::Options App::scrub_options() {
  constexpr double kDay = 24 * 3600 * 1000.0;
  // Only one process opens an SQLite database: it takes the place of an earlier one at once.
  return {.holder = shared_database() ? name_ : "this server",
          .rate = config_.storage.scrub_rate_bytes.value,
          .interval = Millis(static_cast<std::int64_t>(config_.storage.scrub_days * kDay)),
          .on_checked = [this](storage::Integrity found, std::int64_t bytes) {
            figures_.file_checked(found, bytes);
          }};
}

void App::build_worker() {
  disk_watch_.emplace(executor_, *storage_, *database_, config_.storage.low_disk_bytes.value,
                      [this] { return resume_waiting(); });
  build_engine();
  pipeline_.emplace(executor_, *engine_, *proxy_, upstreams_, mover_, *storage_, *cookies_, files_,
                    *database_, clock_, pipeline_limits(config_, figures_));
  worker_.emplace(executor_, *store_, bus_, clock_,
                  jobs::Worker::Options{.name = name_,
                                        .slots = static_cast<std::size_t>(config_.download.max_concurrent),
                                        .lease = seconds(config_.jobs.lease_sec),
                                        .may_claim = [this] { return disk_watch_->room(); },
                                        .on_claimed = [this](Millis waited) { figures_.claimed(waited); }},
                  [this](jobs::Run& run) { return work(run); });
  housekeeping_.emplace(executor_, bus_, *storage_, *database_, clock_,
                        std::chrono::seconds(std::llround(config_.jobs.record_ttl_hours * 3600)));
}

Task<void> App::resume_waiting() {
  const auto hastened = co_await store_->hasten("disk_full");
  if (!hastened)
    log_error("cannot wake downloads that waited for space", {{"error", hastened.error().message}});
  store_->bell().ring();
}

Task<jobs::Outcome> App::work(jobs::Run& run) {
  auto outcome = co_await pipeline_->run(run);
  if (!outcome && outcome.error().code == Errc::no_space) disk_watch_->note_full();
  co_return outcome;
}

void App::build_engine() {
  updater_.emplace(executor_, *client_, *proxy_, files_, clock_, shelf_of(config_), updater_options(config_));
  engine_keeper_.emplace(
      executor_, *engine_, *updater_, *database_, clock_,
      EngineKeeper::Options{.check_every = std::chrono::hours(config_.engine.update_hours)});
}

// With the release of the shelf, or without one when that does not start.
Task<Result<void>> App::start_engine() {
  auto state = updater_->shelf().read();
  if (!state) co_return fail(state.error());
  std::string release = state->current;
  if (!release.empty()) {
    auto shelved = engine::make_engine(executor_, updater_->engine_of(release));
    if (auto started = co_await shelved->start(); started) {
      engine_->exchange(std::move(shelved));
    } else {
      log_error("a release of yt-dlp does not start; the installed one is used",
                {{"release", release}, {"error", started.error().message}});
      co_await shelved->stop();
      release.clear();
    }
  }
  if (release.empty()) {
    if (auto started = co_await engine_->start(); !started) co_return started;
  }
  engine_keeper_->start(release);
  co_return Result<void>();
}

Task<Result<void>> App::start_work() {
  if (auto started = co_await proxy_->start(); !started) co_return started;
  client_->start();
  if (auto started = co_await start_engine(); !started) co_return started;
  const engine::Versions versions = engine_->versions();
  log_info("the engine is warm",
           {{"ytdlp", versions.ytdlp}, {"python", versions.python}, {"ffmpeg", versions.ffmpeg}});
  report(engine_->sandbox());
  if (versions.ffmpeg.empty()) log_warn("there is no ffmpeg: merging, conversion and embedding will fail");
  disk_watch_->start();
  pot_watch_.start();
  if (config_.server.role == Role::gateway) {
    neighbours_->start({});
  } else {
    neighbours_->start(
        [this] { return worker_->running() < static_cast<std::size_t>(config_.download.max_concurrent); });
    worker_->start();
  }
  housekeeping_->start();
  scrub_->start();
  expansion_->start();
  keeper_->start();
  subscriptions_->start();
  webhooks_->start();
  working_ = true;
  co_return Result<void>();
}

Task<void> App::drain(std::chrono::milliseconds grace) {
  if (working_) {
    co_await subscriptions_->stop();
    co_await expansion_->stop();
  }
  if (working_) co_await worker_->drain(grace);
  co_await hastening_.join();
}

void App::hasten() {
  if (working_) hastening_.spawn("hasten the drain", worker_->drain(std::chrono::milliseconds(0)));
}

Task<void> App::close() {
  if (neighbours_) co_await neighbours_->stop();
  co_await pot_watch_.stop();
  if (working_) {
    co_await keeper_->stop();
    co_await scrub_->stop();
    co_await housekeeping_->stop();
    co_await disk_watch_->stop();
  }
  if (webhooks_) co_await webhooks_->stop();
  if (engine_keeper_) co_await engine_keeper_->stop();
  co_await engine_->stop();
  co_await proxy_->stop();
  client_->close();
  if (bucket_) bucket_->objects->close();
  if (database_) database_->close();
  files_.join();
}

}  // namespace trawl::server
