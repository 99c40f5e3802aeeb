#include "server/serve.h"

#include <csignal>
#include <iostream>

#include <boost/asio/signal_set.hpp>
#include <fmt/format.h>

#include "access/client_address.h"
#include "api/batch_routes.h"
#include "api/batch_socket.h"
#include "api/docs_routes.h"
#include "api/download_routes.h"
#include "api/engine_routes.h"
#include "api/event_stream.h"
#include "api/file_routes.h"
#include "api/firehose_socket.h"
#include "api/health_routes.h"
#include "api/integrity_routes.h"
#include "api/metrics_routes.h"
#include "api/openapi_routes.h"
#include "api/order_routes.h"
#include "api/page_routes.h"
#include "api/preset_routes.h"
#include "api/preview_routes.h"
#include "api/progress_socket.h"
#include "api/queue_routes.h"
#include "api/subscription_routes.h"
#include "api/system_routes.h"
#include "api/webhook_routes.h"
#include "async/run.h"
#include "base/log.h"
#include "http/server.h"
#include "server/access_front.h"
#include "server/app.h"
#include "server/config_print.h"

namespace trawl::server {
namespace {

using namespace std::chrono_literals;

// The part of the grace that is kept for closing connections and files after the drain.
std::chrono::milliseconds closing_part(std::chrono::milliseconds grace) {
  return std::min(grace, std::clamp<std::chrono::milliseconds>(grace / 6, 3s, 5s));
}

// One `trawl serve`.
class Serving {
 public:
  Serving(asio::io_context& context, const LoadedConfig& loaded)
      : executor_(context.get_executor()),
        loaded_(loaded),
        config_(loaded.config),
        app_(context, loaded.config),
        signals_(context, SIGTERM, SIGINT),
        stop_asked_(context.get_executor()),
        scope_(context.get_executor()) {}

  Task<int> run() {
    scope_.spawn("signals", watch_signals());
    int code = 0;
    if (auto started = co_await start(); !started) {
      log_error("trawl cannot start", {{"error", started.error().message}});
      std::cerr << "trawl: " << started.error().message << std::endl;
      code = 2;
    } else {
      while (!draining_) co_await stop_asked_.wait();
    }
    co_await stop();
    co_return code;
  }

 private:
  Task<Result<void>> start() {
    if (auto opened = co_await app_.open(); !opened) co_return opened;
    access_.emplace(app_, config_, co_await asio::this_coro::executor);
    if (auto opened = co_await access_->open(); !opened) co_return opened;
    auto page = web_page();
    if (!page) co_return fail(page.error());
    router_.emplace(&access_->gatekeeper());
    page_.emplace(std::move(*page), api::PageRoutes::Facts{TRAWL_VERSION, config_.docs.enabled});
    add_routes(*router_);
    http::ServerOptions options;
    options.host = config_.server.host;
    options.port = static_cast<std::uint16_t>(config_.server.port);
    options.hsts_seconds = config_.server.hsts_seconds;
    options.cors = {
        .origins = config_.cors.origins,
        .credentials = config_.cors.credentials,
        .request_headers = {config_.auth.header, "Authorization", "Content-Type", "Idempotency-Key",
                            "Last-Event-ID", "Range", "X-Request-ID", "X-Setup-Token"}};
    if (!config_.server.trusted_proxies.empty()) {
      options.client_of = [proxies = access::parse_proxies(config_.server.trusted_proxies).value(),
                           field = config_.server.proxy_header](const http::Request& request) {
        return access::client_address(request, proxies, field);
      };
    }
    server_ = http::make_server(executor_, app_.files(), *router_, options);
    if (auto listening = co_await server_->start(); !listening) co_return listening;
    if (auto listening = co_await serve_metrics(options); !listening) co_return listening;
    const std::string host =
        options.host.find(':') == std::string::npos ? options.host : "[" + options.host + "]";
    std::cout << fmt::format("listening on http://{}:{}", host, server_->port()) << std::endl;
    const std::string reachable = options.host == "0.0.0.0" || options.host == "::" ? "localhost" : host;
    if (const auto how = access_->instructions(fmt::format("http://{}:{}", reachable, server_->port()));
        !how.empty() && config_.server.role != Role::worker)
      std::cout << how << std::endl;
    log_info("listening", {{"host", options.host},
                           {"port", std::int64_t{server_->port()}},
                           {"environment", config_.server.environment},
                           {"auth", to_text(config_.auth.mode)},
                           {"private_networks", config_.policy.allow_private_networks}});
    app_.listens_on(server_->port());
    co_return co_await app_.start_work();
  }

  void add_routes(http::Router& router) {
    const api::StillAdmitted still = access_->still_admitted();
    const api::ViewContext context{config_.server.public_url, config_.download.max_retries};
    long_poll_.emplace(app_.downloads(), executor_);
    downloads_.emplace(
        app_.downloads(), app_.presets(), app_.idempotency(), *long_poll_, app_.clock(), context,
        [this](http::Request request) { return batches_->create_from_urls(std::move(request)); });
    orders_.emplace(app_.downloads(), app_.clock());
    queue_.emplace(app_.downloads(), app_.overview(), app_.clock(),
                   api::QueueRoutes::Facts{.worker = app_.worker_name(),
                                           .slots = static_cast<std::size_t>(config_.download.max_concurrent),
                                           .max_queued = config_.download.queue_max,
                                           .draining = [this] { return draining_; }});
    files_.emplace(app_.storage(), app_.uploads(), app_.clock(), context, access_->file_access());
    progress_.emplace(app_.downloads(), app_.clock(), context, still);
    firehose_.emplace(
        app_.downloads().bus(), [this](JobId job) { return app_.downloads().owner_of(job); }, app_.clock(),
        still);
    events_.emplace(
        app_.downloads(), app_.clock(), context, still,
        api::EventStream::Options{.keep_alive = std::chrono::seconds(config_.server.keep_alive_sec)});
    health_.emplace(
        app_.downloads(), app_.storage(), app_.engine(), app_.clock(),
        api::HealthRoutes::Facts{.version = TRAWL_VERSION,
                                 .environment = config_.server.environment,
                                 .works = config_.server.role != Role::gateway,
                                 .slots = static_cast<std::size_t>(config_.download.max_concurrent),
                                 .low_disk_bytes = config_.storage.low_disk_bytes.value,
                                 .draining = [this] { return draining_; },
                                 .running = [this] { return app_.running(); },
                                 .pot_provider = [this] { return app_.pot_watch().state(); }});
    previews_.emplace(app_.looks(), app_.policy(), app_.clock(),
                      api::PreviewRoutes::Options{.public_info = config_.metadata.public_info});
    engine_.emplace(app_.engine(), app_.database());
    system_.emplace(
        app_.downloads(), app_.database(), app_.storage(), app_.engine(), app_.overview(), app_.clock(),
        api::SystemRoutes::Facts{
            .version = TRAWL_VERSION,
            .role = std::string(to_text(config_.server.role)),
            .requests_per_minute = [this] { return access_->requests_per_minute(); },
            .config = [this] { return shown_config(); },
            .change_config = [this](const json::object& wanted) { return change_config(wanted); }});
    integrity_.emplace(app_.scrub(), app_.clock(), context);
    batches_.emplace(app_.batches(), app_.presets(), app_.idempotency(), app_.clock(), context);
    presets_.emplace(app_.presets(), app_.clock());
    batch_progress_.emplace(app_.batches(), app_.downloads().bus(), app_.clock(), still);
    subscriptions_.emplace(app_.subscriptions(), app_.idempotency(), app_.clock());
    health_->add_to(router);
    page_->add_to(router);
    router.on_answer([this](const http::Endpoint* route, int status, auto took) {
      app_.figures().answered(route, status, took);
    });
    if (config_.metrics.enabled) {
      metrics_.emplace([this] { return app_.figures_text(); },
                       [this](http::Request request) { return system_->stats(std::move(request)); },
                       config_.metrics.open);
      if (config_.metrics.port == 0) metrics_->add_to(router);
    }
    if (config_.server.role == Role::worker) return;
    access_->add_to(router);
    engine_->add_to(router);
    system_->add_to(router);
    integrity_->add_to(router);
    webhooks_.emplace(app_.webhooks());
    downloads_->add_to(router);
    orders_->add_to(router);
    queue_->add_to(router);
    webhooks_->add_to(router);
    previews_->add_to(router);
    batches_->add_to(router);
    presets_->add_to(router);
    batch_progress_->add_to(router);
    subscriptions_->add_to(router);
    files_->add_to(router);
    progress_->add_to(router);
    firehose_->add_to(router);
    events_->add_to(router);
    if (config_.docs.enabled) describe(router);
  }

  // At metrics.port, when it has one of its own.
  Task<Result<void>> serve_metrics(http::ServerOptions options) {
    if (!metrics_ || config_.metrics.port == 0) co_return Result<void>();
    metrics_router_.emplace(&access_->gatekeeper());
    metrics_->add_to(*metrics_router_);
    options.port = static_cast<std::uint16_t>(config_.metrics.port);
    metrics_server_ = http::make_server(executor_, app_.files(), *metrics_router_, options);
    co_return co_await metrics_server_->start();
  }

  // Empty where there is none.
  [[nodiscard]] Result<api::PageFiles> web_page() const {
    if (!config_.ui.enabled || config_.server.role == Role::worker) return api::PageFiles();
    if (config_.ui.static_dir.empty()) return api::built_in_page();
    return api::read_page(config_.ui.static_dir);
  }

  void describe(http::Router& router) {
    description_.emplace(api::ApiInfo{.version = TRAWL_VERSION,
                                      .public_url = config_.server.public_url,
                                      .key_header = config_.auth.header});
    description_->add_to(router);
    api::DocsRoutes().add_to(router);
  }

  [[nodiscard]] json::value shown_config() const {
    const auto shown = parse_json(print_config(loaded_, PrintFormat::json));
    return shown ? *shown : json::value();
  }

  // What can be changed without starting again.
  Result<void> change_config(const json::object& wanted) {
    LogConfig log = config_.log;
    for (const auto& [name, value] : wanted) {
      const auto* text = value.if_string();
      if (name != "log.level")
        return fail(Errc::invalid,
                    fmt::format("{} cannot be changed while the server runs; log.level can",
                                to_valid_utf8(std::string_view(name))),
                    "not_changeable");
      const auto level = text ? parse_enum<LogLevel>(*text) : std::nullopt;
      if (!level)
        return fail(Errc::invalid, "log.level must be one of the levels docs/configuration.md lists",
                    "validation_error");
      log.level = *level;
    }
    config_.log = loaded_.config.log = log;
    configure_log(log.level, log.format);
    return {};
  }

  Task<void> watch_signals() {
    while (true) {
      const int signal = co_await signals_.async_wait(asio::use_awaitable);
      if (draining_) {
        log_warn("a second signal: stopping at once", {{"signal", signal}});
        hurried_ = true;
        stop_asked_.notify_all();
        app_.hasten();
        continue;
      }
      log_info("draining", {{"signal", signal}, {"grace_sec", config_.server.shutdown_grace_sec}});
      draining_ = true;
      // Balancers send requests until they have seen that readiness is off; a person at a terminal does not.
      if (signal == SIGTERM) linger_ = std::chrono::seconds(config_.server.linger_sec);
      stop_asked_.notify_all();
    }
  }

  // Readiness is off already; work is drained while requests are still answered, then the door closes.
  Task<void> stop() {
    draining_ = true;
    const std::chrono::milliseconds grace = std::chrono::seconds(config_.server.shutdown_grace_sec);
    const auto door_open_until = std::chrono::steady_clock::now() + std::min(grace, linger_);
    co_await app_.drain(grace - closing_part(grace));
    while (!hurried_ && std::chrono::steady_clock::now() < door_open_until)
      co_await stop_asked_.wait_for(door_open_until - std::chrono::steady_clock::now());
    if (long_poll_) long_poll_->release();
    if (server_) co_await server_->stop(1s);
    if (metrics_server_) co_await metrics_server_->stop(1s);
    if (access_) co_await access_->close();
    co_await app_.close();
    signals_.cancel();
    co_await scope_.close();
    log_info("stopped");
  }

  asio::any_io_executor executor_;
  LoadedConfig loaded_;
  Config config_;
  App app_;
  asio::signal_set signals_;
  Event stop_asked_;
  Scope scope_;
  bool draining_ = false;
  bool hurried_ = false;
  std::chrono::milliseconds linger_{0};
  std::optional<AccessFront> access_;
  std::optional<http::Router> router_;
  std::optional<api::LongPoll> long_poll_;
  std::optional<api::DownloadRoutes> downloads_;
  std::optional<api::EngineRoutes> engine_;
  std::optional<api::SystemRoutes> system_;
  std::optional<api::IntegrityRoutes> integrity_;
  std::optional<api::OrderRoutes> orders_;
  std::optional<api::QueueRoutes> queue_;
  std::optional<api::FileRoutes> files_;
  std::optional<api::PreviewRoutes> previews_;
  std::optional<api::BatchRoutes> batches_;
  std::optional<api::PresetRoutes> presets_;
  std::optional<api::BatchSocket> batch_progress_;
  std::optional<api::SubscriptionRoutes> subscriptions_;
  std::optional<api::ProgressSocket> progress_;
  std::optional<api::FirehoseSocket> firehose_;
  std::optional<api::EventStream> events_;
  std::optional<api::HealthRoutes> health_;
  std::optional<api::PageRoutes> page_;
  std::optional<api::WebhookRoutes> webhooks_;
  std::optional<api::MetricsRoutes> metrics_;
  std::optional<http::Router> metrics_router_;
  std::optional<api::OpenApiRoutes> description_;
  std::unique_ptr<http::Server> server_, metrics_server_;
};

}  // namespace

int serve(const LoadedConfig& loaded) {
  asio::io_context context(1);
  Serving serving(context, loaded);
  return run_to_end(context, serving.run());
}

}  // namespace trawl::server
