#include "api/health_views.h"
#include "api/queue_views.h"
#include "api/webhook_routes.h"

// The examples of the API's description that are about health, the queue and webhooks.
namespace trawl {
namespace {

using api::example_time;

constexpr const char* kJob = "01980000-0000-7000-8000-000000000001";
constexpr const char* kWorker = "host-1234-5f6a";

api::WebhookDeliveryView delivery() {
  return {.id = "msg_01980000-0000-7000-8000-000000000006",
          .request_id = kJob,
          .event = "download.completed",
          .url = "https://example.com/hook",
          .status = webhooks::DeliveryState::delivered,
          .attempts = 1,
          .next_attempt_at = {},
          .history = {{.at = example_time(), .status = 204, .error = {}}},
          .created_at = example_time(),
          .updated_at = example_time()};
}

}  // namespace

json::value Example<api::HealthView>::make() {
  return encode(api::HealthView{.status = "healthy",
                                .timestamp = example_time(),
                                .version = "1.0.0",
                                .environment = "production",
                                .uptime_seconds = 3600,
                                .checks = {.queue = {"healthy", 1, 10, 3, 2},
                                           .storage = {"healthy", 120.5, 41.0, 7'340'032},
                                           .ytdlp = {"healthy", "2026.08.19", "5.1.6"},
                                           .sandbox = {"healthy", "A", true, false}}});
}
json::value Example<api::ProbeView>::make() {
  return encode(api::ProbeView{"ready"});
}
json::value Example<api::VersionView>::make() {
  return encode(api::VersionView{"trawl", "1.0.0", "2026.08.19", "3.11.2", "5.1.6"});
}
json::value Example<api::AboutView>::make() {
  return encode(
      api::AboutView{"trawl", "1.0.0", "/api/v1", "/api/docs", "/api/openapi.json", "/api/v1/health"});
}
json::value Example<api::EngineView>::make() {
  return encode(
      api::EngineView{true, "2026.08.19", "3.11.2", "5.1.6", {"chrome-124:windows-10"}, {"deno"}, {}});
}

json::value Example<api::ExtractorsView>::make() {
  return encode(api::ExtractorsView{{{.extractor = "youtube",
                                      .version = "2026.08.19",
                                      .completed = 9,
                                      .failed = 1,
                                      .success_rate = 0.9,
                                      .outcomes = {{"completed", 9}, {"extractor_broken", 1}},
                                      .last_at = example_time()}}});
}

json::value Example<api::QueueView>::make() {
  return encode(api::QueueView{.states = {{"queued", 2}, {"running", 1}},
                               .queue_length = 2,
                               .active_jobs = 1,
                               .total_jobs = 3,
                               .max_queued = 1000,
                               .owners = {{"Ab3dEf9h", 2, 1, 0, example_time()}}});
}
json::value Example<api::WorkersView>::make() {
  return encode(api::WorkersView{
      .workers = {{.worker = kWorker,
                   .here = true,
                   .slots = 10,
                   .draining = false,
                   .running = {{kJob, "Ab3dEf9h", "example.com", "downloading", jobs::State::running, 1,
                                example_time(), example_time(30)}}}},
      .running = 1});
}
json::value Example<api::BreakersView>::make() {
  return encode(api::BreakersView{{{.host = "example.com",
                                    .state = jobs::Breaker::State::open,
                                    .failures = 5,
                                    .recent_calls = 0,
                                    .recent_failures = 0,
                                    .open_until = example_time(30),
                                    .probe = {},
                                    .last_error = "connection refused",
                                    .updated_at = example_time()}}});
}
json::value Example<api::DeadLettersView>::make() {
  return encode(api::DeadLettersView{
      .dead_letters = {{.id = kJob,
                        .job_id = kJob,
                        .owner = "Ab3dEf9h",
                        .url = "https://example.com/watch?v=1",
                        .reason = "http_error",
                        .error = "the site answered 500",
                        .failures = 4,
                        .created_at = example_time(),
                        .first_failed_at = example_time(5),
                        .last_failed_at = example_time(60),
                        .died_at = example_time(60),
                        .history = {{1, kWorker, example_time(1), example_time(5), jobs::State::retry_wait,
                                     "http_error", "the site answered 500"}}}},
      .total = 1});
}
json::value Example<api::ReplayView>::make() {
  return encode(api::ReplayView{kJob, kJob, "queued"});
}
json::value Example<api::BuriedView>::make() {
  return encode(api::BuriedView{.id = kJob});
}
json::value Example<api::AllBuriedView>::make() {
  return encode(api::AllBuriedView{.deleted = 3});
}

json::value Example<api::WebhookTestRequest>::make() {
  return {{"url", "https://example.com/hook"}};
}
json::value Example<api::WebhookDeliveryView>::make() {
  return encode(delivery());
}
json::value Example<api::WebhookListView>::make() {
  api::WebhookListView view;
  view.deliveries = {delivery()};
  view.total = view.total_pages = 1;
  return encode(view);
}

}  // namespace trawl
