#include "downloads/downloads.h"

#include <fmt/format.h>

#include "downloads/recording.h"
#include "downloads/single_flight.h"
#include "net/admission.h"

namespace trawl::downloads {

using std::chrono::steady_clock;

// How long an answer waits for a running download to pause.
constexpr std::chrono::milliseconds kPausePatience{900};

Task<Result<Download>> Downloads::submit(media::DownloadRequest request, std::string tenant, Then then) {
  request.url = std::string(trim(request.url));
  if (auto judged = co_await net::admit_url(policy_, request.url); !judged) co_return fail(judged.error());
  if (auto accepted = co_await check(request, tenant); !accepted) co_return fail(accepted.error());

  std::string origin = net::parse_url(request.url)->host;
  std::string fingerprint = fingerprint_of(request, {}, tenant);
  auto job = co_await store_.add({.kind = "download",
                                  .tenant = std::move(tenant),
                                  .origin = std::move(origin),
                                  .priority = request.priority,
                                  .request = encode(request).as_object(),
                                  .scheduled_at = request.scheduled_at,
                                  .deadline = request.deadline,
                                  .max_retries = request.max_retries,
                                  .fingerprint = std::move(fingerprint)},
                                 [&](db::Transaction& transaction, const jobs::Job& added) -> Result<void> {
                                   auto counted = access::Quotas::count_jobs(transaction, added.tenant, 1);
                                   if (!counted || !then) return counted;
                                   return then(transaction, Download{added, request, {}});
                                 });
  if (!job) co_return fail(job.error());
  co_return Download{std::move(*job), std::move(request), {}};
}

Result<void> Downloads::check_browser(const media::DownloadOptions& request) const {
  if (!request.impersonate || !limits_.can_impersonate || limits_.can_impersonate(*request.impersonate))
    return {};
  return fail(
      Errc::unsupported,
      fmt::format("impersonate: the engine cannot look like '{}'; GET /api/v1/admin/engine lists what it"
                  " can, which is nothing without the Python package curl_cffi",
                  *request.impersonate),
      "impersonation_unavailable");
}

Task<Result<void>> Downloads::check(media::DownloadOptions options, std::string tenant) {
  if (const auto wrong = media::check_together(options))
    co_return fail(Errc::invalid, *wrong, "validation_error");
  if (auto available = check_browser(options); !available) co_return fail(available.error());
  if (options.cookies_id) {
    if (auto usable = co_await cookies_.check_usable(*options.cookies_id, tenant); !usable)
      co_return fail(usable.error());
  }
  if (auto admitted = co_await admit_webhook(options.webhook_url); !admitted) co_return admitted;
  co_return co_await check_space();
}

Task<Result<void>> Downloads::admit_webhook(std::optional<std::string> url) {
  if (!url) co_return Result<void>();
  auto admitted = co_await webhooks_.admit(*url);
  if (admitted || admitted.error().code == Errc::unsupported) co_return admitted;
  const Error& error = admitted.error();
  co_return fail(error.code, "webhook_url: " + error.message,
                 error.reason == "invalid_url" ? "invalid_webhook_url" : error.reason);
}

Task<Result<void>> Downloads::check_space() {
  if (limits_.room && !limits_.room()) {
    co_return fail(Errc::no_space, "the disk is full; downloads are accepted again when there is room",
                   "disk_full");
  }
  if (limits_.low_disk_bytes <= 0) co_return Result<void>();
  const auto space = co_await storage_.space();
  if (!space) co_return fail(space.error());
  if (space->available < limits_.low_disk_bytes) {
    co_return fail(
        Errc::no_space,
        fmt::format("only {} are free on the storage disk; {} must be (storage.low_disk_bytes)",
                    to_text(ByteCount{space->available}), to_text(ByteCount{limits_.low_disk_bytes})),
        "disk_full");
  }
  co_return Result<void>();
}

Task<Result<jobs::State>> Downloads::end_recording(JobId id) {
  const auto job = co_await store_.find(id);
  if (!job) co_return fail(job.error());
  const auto asked = co_await database_.write(
      [&job](db::Transaction& transaction) { return ask_for_end(transaction, *job); });
  if (!asked) co_return fail(asked.error());
  co_return job->state;
}

Task<Result<Download>> Downloads::describe(jobs::Job job) {
  Download download;
  auto request = decode_own<media::DownloadRequest>(job.request, "request");
  if (!request) co_return fail(request.error());
  download.request = std::move(*request);
  if (job.state == jobs::State::completed) {
    auto artifacts = co_await storage_.of_job(job.id);
    if (!artifacts) co_return fail(artifacts.error());
    download.artifacts = std::move(*artifacts);
  }
  if (download.request.webhook_url && jobs::final(job.state)) {
    const auto sent = co_await webhooks_.deliveries().end_delivered(job.id);
    if (!sent) co_return fail(sent.error());
    download.webhook_sent = *sent;
  }
  if (const auto live = bus_.progress_of(job.id); live && job.state == jobs::State::running)
    job.progress = *live;
  download.job = std::move(job);
  co_return download;
}

Task<Result<Download>> Downloads::find(JobId id) {
  auto job = co_await store_.find(id);
  if (!job) co_return fail(job.error());
  co_return co_await describe(std::move(*job));
}

Task<Result<std::string>> Downloads::owner_of(JobId id) {
  auto job = co_await store_.find(id);
  if (!job) co_return fail(job.error());
  co_return std::move(job->tenant);
}

Task<Result<Downloads::Page>> Downloads::list(jobs::JobStore::Filter filter) {
  auto jobs = co_await store_.list(std::move(filter));
  if (!jobs) co_return fail(jobs.error());
  Page page{{}, jobs->total};
  for (jobs::Job& job : jobs->jobs) {
    auto download = co_await describe(std::move(job));
    if (!download) co_return fail(download.error());
    page.downloads.push_back(std::move(*download));
  }
  co_return page;
}

Task<std::optional<jobs::State>> Downloads::await_state(std::shared_ptr<events::Subscription> watch,
                                                        std::chrono::milliseconds patience, Done done) {
  const auto deadline = steady_clock::now() + patience;
  while (steady_clock::now() < deadline) {
    const auto event = co_await watch->next(deadline - steady_clock::now());
    if (!event || watch->lagged()) break;
    if (event->type == events::Type::status && done(event->data))
      co_return parse_enum<jobs::State>(std::string_view(event->data.at("state").as_string()));
  }
  co_return std::nullopt;
}

Task<Result<jobs::State>> Downloads::cancel(JobId id, std::chrono::milliseconds patience) {
  const auto watch = bus_.subscribe(id);
  const auto asked = co_await store_.cancel(id);
  if (!asked || *asked != jobs::State::cancelling) co_return asked;
  const auto ended = co_await await_state(
      watch, patience, [](const json::object& event) { return event.at("final").as_bool(); });
  co_return ended.value_or(jobs::State::cancelling);
}

Task<Result<jobs::State>> Downloads::pause(JobId id) {
  const auto watch = bus_.subscribe(id);
  const auto asked = co_await store_.pause(id);
  if (!asked || *asked != jobs::State::running) co_return asked;
  const auto stopped = co_await await_state(watch, kPausePatience, [](const json::object& event) {
    return event.at("state").as_string() != to_text(jobs::State::running);
  });
  co_return stopped.value_or(jobs::State::running);
}

Task<Result<void>> Downloads::set_retention(JobId id, std::optional<SystemTime> until) {
  const auto job = co_await store_.find(id);
  if (!job) co_return fail(job.error());
  if (job->state != jobs::State::completed)
    co_return fail(Errc::conflict,
                   fmt::format("download {} has no files: it is {}", id.str(), jobs::api_status(job->state)),
                   "not_completed");
  co_return co_await storage_.set_expiry(id, until);
}

Task<Result<void>> Downloads::check_dead(JobId id) {
  const auto job = co_await store_.find(id);
  if (!job) co_return fail(job.error());
  if (job->state != jobs::State::dead)
    co_return fail(
        Errc::conflict,
        fmt::format("download {} is no dead letter: it is {}", id.str(), jobs::api_status(job->state)),
        "not_dead");
  co_return Result<void>();
}

Task<Result<jobs::State>> Downloads::replay(JobId id) {
  if (auto dead = co_await check_dead(id); !dead) co_return fail(dead.error());
  co_return co_await store_.retry(id);
}

Task<Result<void>> Downloads::bury(JobId id) {
  if (auto dead = co_await check_dead(id); !dead) co_return fail(dead.error());
  co_return co_await purge(id);
}

Task<Result<void>> Downloads::purge(JobId id) {
  const auto job = co_await store_.find(id);
  if (!job) co_return fail(job.error());
  if (!jobs::final(job->state)) {
    co_return fail(
        Errc::conflict,
        fmt::format("download {} is still {}; cancel it first", id.str(), jobs::api_status(job->state)),
        "not_final");
  }
  if (auto removed = co_await storage_.remove_of_job(id); !removed) co_return fail(removed.error());
  co_return co_await store_.remove(id);
}

Task<Result<events::EventLog::LogPage>> Downloads::logs(JobId id, LogLevel min_level, std::int64_t tail,
                                                        std::int64_t offset) {
  const auto job = co_await store_.find(id);
  if (!job) co_return fail(job.error());
  co_return co_await log_.logs(id, std::string(to_text(min_level)), tail, offset);
}

}  // namespace trawl::downloads
