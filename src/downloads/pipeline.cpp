#include "downloads/pipeline.h"

#include <fmt/format.h>

#include "base/failpoint.h"
#include "base/text.h"
#include "downloads/adoption.h"
#include "downloads/archive.h"
#include "downloads/attempt_errors.h"
#include "downloads/batch.h"
#include "downloads/completion.h"
#include "downloads/content.h"
#include "downloads/cookie_file.h"
#include "downloads/metadata.h"
#include "downloads/naming.h"
#include "downloads/progress.h"
#include "downloads/recording.h"
#include "downloads/wanted.h"
#include "downloads/working_place.h"
#include "http/static_file.h"
#include "net/admission.h"

namespace trawl::downloads {
namespace {

using std::chrono::seconds;
using std::chrono::steady_clock;

constexpr int kLongestRecording = 48 * 3600;  // Seconds, unless the request says.

constexpr int kLoggedRefusals = 50;

}  // namespace

// One attempt's state; lives as long as Pipeline::run().
class Pipeline::Attempt {
 public:
  Attempt(Pipeline& pipeline, jobs::Run& run, media::DownloadRequest request,
          std::optional<Membership> member)
      : pipe_(pipeline),
        run_(run),
        request_(std::move(request)),
        member_(std::move(member)),
        site_(net::site_of(request_.url)),
        upstream_(pipeline.upstreams_.choose(site_, steady_clock::now())),
        pass_(pipeline.proxy_.admit({.max_bytes = net::proxy_allowance(pipeline.limits_.max_bytes),
                                     .upstream = upstream_,
                                     .on_refusal = [this](const Error& error) { log_refusal(error); }})),
        deadline_(steady_clock::now() + seconds(request_.timeout_sec.value_or(
                                            static_cast<int>(pipeline.limits_.timeout.count())))) {}

  Task<jobs::Outcome> execute() {
    const SystemTime now = pipe_.clock_.now();
    auto adopted = co_await adopt(pipe_.database_, run_, request_, member_, now, expiry(now));
    if (!adopted) co_return fail(std::move(adopted.error()));
    if (*adopted) co_return std::move(**adopted);
    jobs::Outcome outcome = co_await work();
    co_await pipe_.storage_.forsake(run_.job().id, run_.job().epoch);
    if (run_.stopped() == jobs::Stop::none && !run_.postponed()) co_await count(outcome);
    co_return outcome;
  }

 private:
  Task<jobs::Outcome> work() {
    if (auto ready = co_await prepare(); !ready) co_return fail(std::move(ready.error()));
    const bool resumed = checkpoint_.plan.has_value();
    if (upstream_) run_.log(LogLevel::info, "goes out through the proxy " + upstream_->name());
    auto produced = co_await produce();
    if (const auto keep = produced || !resumed ? std::nullopt : keep_after(produced.error())) {
      run_.log(LogLevel::info,
               "what an earlier attempt left is of no use any more: " + produced.error().message);
      checkpoint_.transferred = false;
      if (*keep == Keep::nothing) checkpoint_.plan.reset();
      produced = co_await produce();
    }
    run_.log(LogLevel::debug, "network: " + json::serialize(traffic()));
    if (!produced && waits_for(produced.error())) run_.postpone(pipe_.limits_.live_poll);
    if (!produced) co_return fail(explain(std::move(produced.error())));
    co_return co_await publish(std::move(*produced));
  }

  // For metrics and records.
  Task<void> count(jobs::Outcome& outcome) {
    const Attempted attempted{
        .extractor = extractor(),
        .version = checkpoint_.plan ? checkpoint_.plan->engine_version : pipe_.engine_.versions().ytdlp,
        .outcome = outcome ? std::string(kCompleted) : outcome.error().reason};
    if (pipe_.limits_.on_attempt) pipe_.limits_.on_attempt(attempted);
    co_await count_attempt(pipe_.database_, attempted, outcome);
  }

  // Whether the download may wait for what is not there yet.
  [[nodiscard]] bool waits_for(const Error& error) const {
    return error.reason == "live_not_started" && request_.wait_for_live_sec &&
           pipe_.clock_.now() < run_.job().created_at + seconds(*request_.wait_for_live_sec);
  }

  // By the name that yt-dlp's errors give it as well.
  [[nodiscard]] std::string extractor() const {
    if (!checkpoint_.plan) return blamed_;
    const auto* name = checkpoint_.plan->info.if_contains("extractor");
    return name && name->is_string() ? std::string(name->as_string()) : checkpoint_.plan->extractor;
  }

  // The work folder, with what an earlier attempt left in it, and its checkpoint.
  Task<Result<void>> prepare() {
    auto stored = decode_own<Checkpoint>(run_.job().checkpoint, "checkpoint");
    if (stored) checkpoint_ = std::move(*stored);
    auto folder = co_await pipe_.storage_.restage(run_.job().id, run_.job().epoch);
    if (!folder) co_return fail(folder.error());
    work_dir_ = *folder;
    failpoint("pipeline.staged");
    std::error_code ignored;
    if (std::filesystem::is_empty(work_dir_, ignored)) checkpoint_.transferred = false;
    co_return Result<void>();
  }

  // Stages one to three, in one engine child.
  Task<Result<std::vector<media::Produced>>> produce() {
    const CookieFile cookies(work_dir_);  // Goes after the child.
    auto permit = co_await turn(pipe_.resolving_);
    if (!permit) co_return fail(permit.error());
    auto opened = co_await open_child();
    if (!opened) co_return fail(opened.error());
    const std::unique_ptr<engine::Child> child = std::move(*opened);
    child_ = child.get();
    const auto hook = run_.on_stop([this] { child_->terminate(); });

    if (auto resolved = co_await resolve(*child, std::move(*permit)); !resolved)
      co_return fail(resolved.error());
    if (!checkpoint_.transferred) {
      if (auto moved = co_await transfer(*child); !moved) co_return fail(moved.error());
    }
    if (auto entered = co_await run_.advance("post_processing", encode(checkpoint_).as_object()); !entered)
      co_return fail(entered.error());
    const auto finishing = co_await turn(pipe_.finishing_);
    if (!finishing) co_return fail(finishing.error());
    co_return co_await child->finish(remaining());
  }

  Task<Result<std::unique_ptr<engine::Child>>> open_child() {
    engine::Request request = engine_request(request_);
    if (member_) request.entry = {{"target", member_->target}, {"playlist", member_->playlist}};
    request.proxy = pass_->proxy_url();
    request.pot_provider = pass_->service_url();
    request.work_dir = work_dir_.string();
    request.max_bytes = pipe_.limits_.max_bytes;
    request.rate_limit = pipe_.limits_.rate_limit;
    request.retries = pipe_.limits_.origin_retries;
    request.sponsorblock_api = pipe_.limits_.sponsorblock_api;
    if (has_cookies()) {
      if (auto written = co_await write_cookies(); !written) co_return fail(written.error());
      request.cookies_file = CookieFile::path(work_dir_).string();
    }
    engine::Listener listener{
        .on_progress = [this](const media::Progress& news) { on_progress(delegated_, news); },
        .on_log = [this](LogLevel level, std::string line) { run_.log(level, std::move(line)); },
        .on_told_to_wait = [this](seconds time) { run_.told_to_wait(time); },
        .on_blamed = [this](std::string extractor) { blamed_ = std::move(extractor); }};
    co_return co_await pipe_.engine_.open(std::move(request), std::move(listener), checkpoint_.plan,
                                          checkpoint_.transferred);
  }

  [[nodiscard]] bool has_cookies() const {
    return request_.cookies_id.has_value() || !pipe_.limits_.cookies_file.empty();
  }

  // The request's own cookies, or else the operator's. yt-dlp writes them back, so it gets a copy.
  Task<Result<void>> write_cookies() {
    const auto target = CookieFile::path(work_dir_);
    if (!request_.cookies_id) {
      co_return co_await pipe_.files_.run([source = pipe_.limits_.cookies_file, target, url = request_.url] {
        return CookieFile::provide(source, target, url);
      });
    }
    const auto text = co_await pipe_.cookies_.netscape(*request_.cookies_id, run_.job().tenant);
    if (!text) co_return fail(text.error());
    co_return co_await pipe_.files_.run([&text, &target] { return CookieFile::write(target, *text); });
  }

  // Waits for a place in a stage that needs a processor, but not once the run has to stop.
  Task<Result<Semaphore::Permit>> turn(Semaphore& stage) {
    const auto hook = run_.on_stop([&stage] { stage.changed().notify_all(); });
    while (run_.stopped() == jobs::Stop::none) {
      if (auto permit = stage.try_acquire()) co_return std::move(*permit);
      co_await stage.changed().wait();
    }
    co_return fail(Errc::cancelled, "the download was stopped while it waited for its turn");
  }

  // The plan, unless an earlier attempt left one. `permit` was taken before the child was started: starting
  // it needs a processor as well.
  Task<Result<void>> resolve(engine::Child& child, Semaphore::Permit permit) {
    if (checkpoint_.plan) co_return Result<void>();
    std::optional<WorkingPlace> place(std::in_place, co_await asio::this_coro::executor, std::move(permit),
                                      child.pid());
    auto plan = co_await child.resolve(remaining());
    place.reset();
    if (!plan) co_return fail(plan.error());
    run_.log(LogLevel::info, fmt::format("resolved by {}: {}", plan->extractor, plan->title));
    if (member_) {
      const auto wanted = co_await check_wanted(pipe_.database_, *member_, *plan,
                                                {run_.job().tenant, key_of(*plan), options_digest(request_)});
      if (!wanted) co_return fail(wanted.error());
    }
    checkpoint_.plan = std::move(*plan);
    failpoint("pipeline.resolved");
    if (has_cookies()) {
      json::value info = std::move(checkpoint_.plan->info);
      remove_cookies(info);
      checkpoint_.plan->info = std::move(info.as_object());
    }
    co_return Result<void>();
  }

  [[nodiscard]] std::string key_of(const media::Plan& plan) const {
    return entry_key(plan.extractor, plan.id, request_.url, member_ ? member_->target : json::object());
  }

  Task<Result<void>> transfer(engine::Child& child) {
    if (auto entered = co_await run_.advance("downloading", encode(checkpoint_).as_object(),
                                             to_valid_utf8(checkpoint_.plan->title));
        !entered)
      co_return fail(entered.error());
    failpoint("pipeline.plan_stored");
    engine::Keep keep;
    if (pipe_.limits_.native)
      keep = [this](std::vector<media::Part> parts) { return move(std::move(parts)); };
    auto moved = checkpoint_.plan->live
                     ? co_await record(child)
                     : co_await child.transfer(remaining(), pipe_.limits_.quiet_timeout, std::move(keep));
    if (!moved) co_return fail(moved.error());
    checkpoint_.transferred = true;
    failpoint("pipeline.transferred");
    co_return Result<void>();
  }

  // A live stream has no end of its own, so the attempt's time counts from the end of the recording.
  Task<Result<void>> record(engine::Child& child) {
    const seconds longest = seconds(request_.live_max_sec.value_or(kLongestRecording));
    const auto after = remaining();
    deadline_ = steady_clock::now() + longest + after;
    Scope scope(co_await asio::this_coro::executor);
    scope.spawn("end of a recording", await_end(child, longest));
    // That nothing comes ends the recording, which is no failure when there is something.
    auto recorded = co_await child.transfer(longest + after,
                                            pipe_.limits_.live_silence + pipe_.limits_.quiet_timeout, {});
    co_await scope.close();
    deadline_ = steady_clock::now() + after;
    co_return recorded;
  }

  Task<void> await_end(engine::Child& child, seconds longest) {
    const auto why = co_await end_of_recording(pipe_.database_, run_.job().id,
                                               {.length = longest, .silence = pipe_.limits_.live_silence},
                                               [this] { return delegated_.downloaded_bytes; });
    run_.log(LogLevel::info, fmt::format("the recording ends, {}", why));
    child.wind_up();
  }

  // Keeps what the child promised. The attempt's deadline and a stopped run both end it.
  Task<Result<void>> move(std::vector<media::Part> parts) {
    transfer::Stop stop;
    const auto hook = run_.on_stop([stop]() mutable { stop.set(); });
    asio::steady_timer deadline(co_await asio::this_coro::executor, deadline_);
    deadline.async_wait([stop](boost::system::error_code cancelled) mutable {
      if (!cancelled) stop.set();
    });
    auto moved = co_await pipe_.mover_.move(
        std::move(parts), work_dir_, pipe_.limits_.of_move(upstream_ ? pass_->proxy_url() : ""),
        {.on_progress = [this](const media::Progress& news) { on_progress(native_, news); },
         .on_told_to_wait = [this](seconds time) { run_.told_to_wait(time); },
         .on_hashed = [this](const std::string& part, std::int64_t bytes) { on_hashed(part, bytes); }},
        stop);
    if (!moved && run_.stopped() == jobs::Stop::none && steady_clock::now() >= deadline_) {
      co_return fail(Errc::timeout, "the download took longer than it may (timeout_sec)", "attempt_timeout");
    }
    if (!moved) co_return fail(std::move(moved.error()));
    checkpoint_.digests = std::move(*moved);
    co_return Result<void>();
  }

  // A part that is hashed on its way is probably what will be stored.
  void on_hashed(const std::string& part, std::int64_t bytes) {
    pipe_.storage_.grown(run_.job().id, run_.job().epoch,
                         {.name = part,
                          .mime_type = http::mime_type_of(part),
                          .unfinished = transfer::Mover::unfinished(part)},
                         bytes);
  }

  // What yt-dlp moves and what we move ourselves are told apart here and shown as one.
  void on_progress(media::Progress& part, const media::Progress& news) {
    part = news;
    const media::Progress progress = together(delegated_, native_);
    const std::int64_t limit = pipe_.limits_.max_bytes;
    if (limit > 0 && progress.downloaded_bytes > limit && !too_large_) {
      too_large_ = true;
      child_->terminate();
      return;
    }
    run_.progress(progress_object(progress));
  }

  // A job that goes on without what was refused (a thumbnail) says so nowhere else.
  void log_refusal(const Error& error) {
    if (++refusals_ <= kLoggedRefusals)
      run_.log(LogLevel::warn, fmt::format("refused ({}): {}", error.reason, error.message));
  }

  json::object traffic() const { return traffic_of(*pass_, native_.downloaded_bytes, upstream_.get()); }

  // The error to report: what we refused or stopped says more than how yt-dlp suffered from it.
  Error explain(Error error) {
    const auto of_upstream = pass_->upstream_failure();
    if (is_turned_away(error) || of_upstream) pipe_.upstreams_.rest(site_, upstream_, steady_clock::now());
    if (too_large_) return larger_than(pipe_.limits_.max_bytes);
    if (const auto refused = pass_->refusal()) return *refused;
    if (of_upstream && retryable(error.code)) return *of_upstream;
    return error;
  }

  // Stage four: durable files, then rows, in the transaction that completes the job.
  Task<jobs::Outcome> publish(std::vector<media::Produced> produced) {
    if (auto entered = co_await run_.advance("storing"); !entered) co_return fail(entered.error());
    auto checked = co_await pipe_.files_.run([&] { return publishable(std::move(produced), work_dir_); });
    if (!checked) co_return fail(checked.error());
    for (std::string& line : checked->left_out) run_.log(LogLevel::warn, std::move(line));
    produced = std::move(checked->files);
    failpoint("pipeline.finished");
    const SystemTime now = pipe_.clock_.now();
    auto named =
        name_files(request_, *checkpoint_.plan, produced, now, random_hex(4), member_ ? member_->batch : "");
    if (!named) co_return fail(named.error());
    for (storage::Staged& file : *named) {
      const auto found = std::ranges::find(checkpoint_.digests, file.name, &media::FileDigest::name);
      if (found != checkpoint_.digests.end()) file.digest = *found;
    }
    auto artifacts =
        co_await pipe_.storage_.publish(run_.job().id, run_.job().epoch, std::move(*named), expiry(now));
    if (!artifacts) co_return fail(artifacts.error());
    failpoint("pipeline.published");
    co_await pipe_.storage_.discard_stage(run_.job().id);

    failpoint("pipeline.stage_discarded");
    json::object result{{"metadata", encode(read_metadata(checkpoint_.plan->info))},
                        {"engine_version", checkpoint_.plan->engine_version},
                        {"network", traffic()}};
    std::vector<std::string> keys{key_of(*checkpoint_.plan)};
    if (member_ && member_->key != keys[0]) keys.push_back(member_->key);
    co_return completion({.artifacts = std::move(*artifacts),
                          .result = std::move(result),
                          .keys = std::move(keys),
                          .options = options_digest(request_),
                          .tenant = run_.job().tenant,
                          .job = run_.job().id,
                          .at = now});
  }

  std::optional<SystemTime> expiry(SystemTime stored) const {
    const auto& retention = pipe_.limits_.retention;
    return retention ? std::optional(stored + *retention) : std::nullopt;
  }

  // What is left of the attempt's time, at least one second so that a stage can report for itself.
  seconds remaining() const {
    return std::max(seconds(1), std::chrono::ceil<seconds>(deadline_ - steady_clock::now()));
  }

  Pipeline& pipe_;
  jobs::Run& run_;
  media::DownloadRequest request_;
  std::optional<Membership> member_;
  const std::string site_;
  const std::shared_ptr<const net::Upstream> upstream_;
  int refusals_ = 0;
  std::string blamed_;  // The extractor whose error ended the resolving.
  std::unique_ptr<net::EgressProxy::Pass> pass_;
  steady_clock::time_point deadline_;
  std::filesystem::path work_dir_;
  Checkpoint checkpoint_;
  engine::Child* child_ = nullptr;
  media::Progress delegated_, native_;
  bool too_large_ = false;
};

Task<jobs::Outcome> Pipeline::run(jobs::Run& run) {
  auto request = decode_own<media::DownloadRequest>(run.job().request, "request");
  if (!request) co_return fail(request.error());
  auto member = membership_of(run.job().request);
  if (!member) co_return fail(member.error());
  Attempt attempt(*this, run, std::move(*request), std::move(*member));
  jobs::Outcome outcome = co_await attempt.execute();
  if (!outcome && outcome.error().code == Errc::no_space) outcome.error().reason = "disk_full";
  if (!outcome && run.stopped() == jobs::Stop::none) {
    run.log(retryable(outcome.error().code) ? LogLevel::warn : LogLevel::error, outcome.error().message);
  }
  co_return outcome;
}

}  // namespace trawl::downloads
