#include "server/figures.h"

#include <fmt/format.h>

#include "base/text.h"
#include "jobs/state.h"

namespace trawl::server {
namespace {

constexpr std::size_t kExtractors = 500;

double seconds_of(auto duration) {
  return std::chrono::duration<double>(duration).count();
}

std::string yes(bool value) {
  return value ? "true" : "false";
}

// A counter that somebody else counts.
void catch_up(metrics::Counter& counter, std::uint64_t total) {
  counter.Increment(static_cast<double>(total) - counter.Value());
}

}  // namespace

Figures::Figures()
    : process_(registry_),
      extractor_names_(kExtractors),
      jobs_ended_(registry_.counters("jobs_total", "Jobs that ended here, by what became of them.")),
      attempts_(registry_.counters("trawl_extractor_attempts_total",
                                   "Attempts that ran to their end, by extractor and result.")),
      refusals_(
          registry_.counters("trawl_egress_refusals_total",
                             "Addresses, names, ports and limits the egress policy refused, by reason.")),
      transferred_(registry_.counters("bytes_transferred_total", "Bytes moved for downloads, by way.")),
      requests_(registry_.counters("http_requests_total", "Answered requests.")),
      checked_(registry_.counters("trawl_scrub_files_total",
                                  "Stored files that were read again, by what was found.")),
      jobs_(registry_.gauges("trawl_jobs", "Jobs in the database, by state.")),
      engine_info_(registry_.gauges("trawl_engine_info", "1 for the versions in use.")),
      sandbox_info_(registry_.gauges("trawl_sandbox_info", "1 for what confines the engine's children.")),
      damaged_(registry_.gauges("trawl_damaged_files", "Stored files that are not as they were stored.")),
      request_time_(registry_.histograms("http_request_duration_seconds",
                                         "Time to make an answer, without sending its body.",
                                         {0.001, 0.005, 0.025, 0.1, 0.5, 2, 5, 30})),
      retries_(registry_.counter("trawl_job_retries_total", "Attempts that failed and will be repeated.")),
      proxy_connections_(registry_.counter("trawl_proxy_connections_total",
                                           "Connections the egress proxy made for engine children.")),
      hosts_lost_(registry_.counter("trawl_engine_host_losses_total",
                                    "How often the engine host ended without being asked to.")),
      checked_bytes_(
          registry_.counter("trawl_scrub_bytes_total", "Bytes of stored files that were read again.")),
      in_flight_(registry_.gauge("jobs_in_flight", "Jobs that are worked on, in the whole database.")),
      queue_size_(registry_.gauge("queue_size", "Jobs that wait, in the whole database.")),
      engine_up_(registry_.gauge("trawl_engine_up", "1 while the engine can fork children.")),
      storage_used_(registry_.gauge("storage_bytes_used", "Bytes of stored files.")),
      storage_total_(registry_.gauge("storage_bytes_total", "Size of the file system of storage.dir.")),
      storage_free_(registry_.gauge("storage_bytes_available", "Bytes free there.")),
      job_time_(registry_.histogram("jobs_duration_seconds", "From the request to the end of a job.",
                                    {0.1, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14'400})),
      queue_wait_(registry_.histogram("trawl_queue_wait_seconds",
                                      "How long jobs were ready before they began.",
                                      {0.01, 0.1, 0.5, 1, 5, 30, 120, 600, 3600})),
      child_start_(registry_.histogram("trawl_engine_child_start_seconds",
                                       "From asking for an engine child until it exists.",
                                       {0.002, 0.005, 0.01, 0.015, 0.025, 0.05, 0.1, 0.5, 2})) {}

void Figures::job_event(const events::Event& event) {
  if (event.type != events::Type::status) return;
  const auto* text = event.data.if_contains("state");
  const auto state = text && text->is_string() ? parse_enum<jobs::State>(text->as_string()) : std::nullopt;
  if (!state) return;
  if (*state == jobs::State::retry_wait) retries_.Increment();
  if (!jobs::final(*state)) return;
  jobs_ended_.at({{"status", std::string(to_text(*state))}}).Increment();
  job_time_.Observe(std::max(0.0, seconds_of(event.at - event.job.made_at())));
}

void Figures::claimed(Millis waited) {
  queue_wait_.Observe(std::max(0.0, seconds_of(waited)));
}

void Figures::attempt_ended(const downloads::Attempted& attempted) {
  const std::string name =
      attempted.extractor.empty() ? "unknown" : extractor_names_.of(to_lower(attempted.extractor));
  const auto verdict = to_text(downloads::verdict_of(attempted.outcome));
  attempts_.at({{"extractor", name}, {"result", std::string(verdict)}}).Increment();
}

void Figures::child_started(std::chrono::steady_clock::duration took) {
  child_start_.Observe(seconds_of(took));
}

void Figures::host_lost() {
  hosts_lost_.Increment();
}

void Figures::egress_refused(std::string_view reason) {
  refusals_.at({{"reason", std::string(reason)}}).Increment();
}

void Figures::received(std::size_t bytes) {
  transferred_.at({{"way", "native"}}).Increment(static_cast<double>(bytes));
}

void Figures::file_checked(storage::Integrity found, std::int64_t bytes) {
  checked_.at({{"result", std::string(to_text(found))}}).Increment();
  checked_bytes_.Increment(static_cast<double>(bytes));
}

void Figures::answered(const http::Endpoint* route, int status, std::chrono::steady_clock::duration took) {
  const std::string method = route ? route->method : "any", path = route ? route->path : "none";
  requests_.at({{"method", method}, {"route", path}, {"status", fmt::format("{}", status)}}).Increment();
  request_time_.at({{"method", method}, {"route", path}}).Observe(seconds_of(took));
}

Task<std::string> Figures::text(Sources sources) {
  process_.refresh();
  show_engine(sources.engine);
  show_traffic(sources.proxy);
  co_await show_jobs(sources.downloads);
  co_await show_storage(sources.storage);
  co_return registry_.text();
}

void Figures::show_engine(const engine::Engine& engine) {
  engine_up_.Set(engine.healthy() ? 1 : 0);
  const engine::Versions versions = engine.versions();
  if (versions.ytdlp.empty()) return;  // Not warm yet.
  const engine::Sandbox sandbox = engine.sandbox();
  engine_info_.only({{"ytdlp", versions.ytdlp}, {"python", versions.python}, {"ffmpeg", versions.ffmpeg}});
  sandbox_info_.only({{"tier", sandbox.tier},
                      {"private_users", yes(sandbox.private_users)},
                      {"network_namespace", yes(sandbox.network_namespace)},
                      {"cgroups", yes(sandbox.cgroups)}});
}

void Figures::show_traffic(const net::EgressProxy& proxy) {
  const auto traffic = proxy.traffic();
  catch_up(transferred_.at({{"way", "proxy_received"}}), traffic.received);
  catch_up(transferred_.at({{"way", "proxy_sent"}}), traffic.sent);
  catch_up(proxy_connections_, traffic.connections);
}

Task<void> Figures::show_jobs(downloads::Downloads& downloads) {
  const auto counts = co_await downloads.counts();
  if (!counts) co_return;  // The figures of before stand; health tells of the database.
  double waiting = 0, working = 0;
  for (const auto& [state, name] : EnumText<jobs::State>::names) {
    const auto found = counts->find(state);
    const double count = found == counts->end() ? 0 : static_cast<double>(found->second);
    jobs_.at({{"state", std::string(name)}}).Set(count);
    if (state == jobs::State::running || state == jobs::State::cancelling) working += count;
    if (jobs::api_status(state) == "queued") waiting += count;
  }
  in_flight_.Set(working);
  queue_size_.Set(waiting);
}

Task<void> Figures::show_storage(storage::ArtifactStore& storage) {
  const auto damaged = co_await storage.damaged();
  for (const auto& [integrity, name] : EnumText<storage::Integrity>::names) {
    if (!damaged || integrity == storage::Integrity::sound) continue;
    const auto found = damaged->find(integrity);
    const double count = found == damaged->end() ? 0 : static_cast<double>(found->second);
    damaged_.at({{"integrity", std::string(name)}}).Set(count);
  }
  const auto space = co_await storage.space();
  if (!space) co_return;
  storage_used_.Set(static_cast<double>(space->used));
  storage_total_.Set(static_cast<double>(space->total));
  storage_free_.Set(static_cast<double>(space->available));
}

}  // namespace trawl::server
