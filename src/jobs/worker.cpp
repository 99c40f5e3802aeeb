#include "jobs/worker.h"

namespace trawl::jobs {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

namespace {

// The bell is a hint, and delayed retries come up by themselves.
constexpr auto kLookAgain = 1s;

}  // namespace

Worker::Worker(asio::any_io_executor executor, JobStore& store, events::Bus& bus, const Clock& clock,
               Options options, Handler handler)
    : executor_(executor),
      store_(store),
      bus_(bus),
      clock_(clock),
      options_(std::move(options)),
      handler_(std::move(handler)),
      claiming_(executor),
      upkeep_(executor),
      work_(executor),
      background_(executor),
      slot_freed_(executor),
      drain_changed_(executor) {}

void Worker::start() {
  claiming_.spawn("claim", claim_loop());
  upkeep_.spawn("renew", renew_loop());
  upkeep_.spawn("fence", fence_loop());
  upkeep_.spawn("reap", reap_loop());
  upkeep_.spawn("watch orders", watch_orders());
}

Task<void> Worker::claim_loop() {
  while (!draining_) {
    if (runs_.size() >= options_.slots) {
      co_await slot_freed_.wait();
      continue;
    }
    const auto rings = store_.bell().rings();
    if (options_.may_claim && !options_.may_claim()) {
      co_await store_.bell().wait_for(rings, kLookAgain);
      continue;
    }
    const auto asked = steady_clock::now();
    auto jobs = co_await store_.claim(options_.name, options_.slots - runs_.size(), options_.lease);
    if (!jobs) log_error("cannot claim jobs", {{"error", jobs.error().message}});
    if (!jobs || jobs->empty()) {
      co_await store_.bell().wait_for(rings, kLookAgain);
      continue;
    }
    for (Job& job : *jobs) {
      if (options_.on_claimed) options_.on_claimed(job.updated_at - std::max(job.created_at, job.not_before));
      auto run = std::make_shared<Run>(std::move(job), store_, bus_, background_);
      run->held_since(asked);
      runs_[run->job().id] = run;
      work_.spawn("job", work(run));
    }
  }
}

Task<void> Worker::work(std::shared_ptr<Run> run) {
  if (run->job().deadline) upkeep_.spawn("watch a deadline", watch_deadline(run));
  Outcome outcome = fail(Errc::internal, "the worker failed; the server's log says why");
  try {
    outcome = co_await handler_(*run);
  } catch (const std::exception& error) {
    log_error("a job's handler threw", {{"job", run->job().id}, {"error", error.what()}});
  }
  co_await finish(*run, std::move(outcome));
  runs_.erase(run->job().id);
  slot_freed_.notify_all();
  store_.bell().ring();  // What a cap held back may be next.
  drain_changed_.notify_all();
}

// Looks at the clock each second at the latest, so that a clock that was set does no harm.
Task<void> Worker::watch_deadline(std::shared_ptr<Run> run) {
  Event ended(executor_);
  const auto hook = run->on_stop([&ended] { ended.notify_all(); });
  const auto held = [&] {
    const auto found = runs_.find(run->job().id);
    return found != runs_.end() && found->second == run && run->stopped() == Stop::none;
  };
  while (held()) {
    const Millis left = *run->job().deadline - clock_.now();
    if (left <= 0ms) co_return run->stop(Stop::expired);
    co_await ended.wait_for(std::min<Millis>(left, 1s));
  }
}

Task<Result<void>> Worker::settle(Run& run, Outcome outcome) {
  const Lease lease = run.lease();
  switch (run.stopped()) {
    case Stop::cancelled:
      co_return co_await store_.settle_cancelled(lease);
    case Stop::paused:  // Releases, unless the pause was taken back meanwhile.
      co_return co_await store_.release(lease);
    case Stop::expired:
      co_return co_await store_.settle_expired(lease);
    default:
      break;
  }
  if (outcome) co_return co_await store_.complete(lease, std::move(*outcome));
  if (run.stopped() == Stop::draining) co_return co_await store_.release(lease);
  if (const auto time = run.postponed()) co_return co_await store_.postpone(lease, outcome.error(), *time);
  const auto state = co_await store_.fail(lease, outcome.error(), run.retry_after());
  if (!state) co_return fail(state.error());
  co_return Result<void>();
}

Task<void> Worker::finish(Run& run, Outcome outcome) {
  if (run.stopped() == Stop::lost) co_return;
  const Lease lease = run.lease();
  Result<void> settled = co_await settle(run, outcome);
  // The database may be away for a moment, and the work would have to be done again.
  while (!settled && settled.error().code == Errc::unavailable && surely_held(run)) {
    co_await sleep_for(options_.lease / 30);
    settled = co_await settle(run, outcome);
  }
  // A cancellation that came while the job was being settled wins or loses in the database.
  if (!settled && settled.error().code == Errc::conflict) settled = co_await store_.settle_cancelled(lease);
  if (!settled && settled.error().code == Errc::conflict) {
    log_warn("a result came too late", {{"job", lease.job}, {"epoch", lease.epoch}});
  } else if (!settled) {
    log_error("a job could not be settled; it will run again",
              {{"job", lease.job}, {"error", settled.error().message}});
  }
}

bool Worker::surely_held(const Run& run) const {
  return steady_clock::now() - run.held_since() <= options_.lease * 2 / 3;
}

Task<void> Worker::renew_loop() {
  while (!upkeep_.closing()) {
    co_await sleep_for(options_.lease / 3);
    if (runs_.empty()) continue;
    std::vector<Lease> leases;
    for (const auto& [id, run] : runs_) leases.push_back(run->lease());
    const auto asked = steady_clock::now();
    const auto renewed = co_await store_.renew(leases, options_.lease);
    if (!renewed) {
      log_error("cannot renew leases", {{"error", renewed.error().message}});
      continue;
    }
    for (const Lease& lease : leases) {
      const auto found = runs_.find(lease.job);
      if (found == runs_.end() || found->second->lease() != lease) continue;  // Settled meanwhile.
      found->second->held_since(asked);
      if (!renewed->held.contains(lease))
        found->second->stop(Stop::lost);
      else if (renewed->cancelling.contains(lease))
        found->second->stop(Stop::cancelled);
      else if (renewed->pausing.contains(lease))
        found->second->stop(Stop::paused);
    }
  }
}

// By the monotonic clock, and apart from the renewals, which may hang: nobody else may have the job
// before a whole lease has passed, and by then nothing of this run must be left.
Task<void> Worker::fence_loop() {
  while (!upkeep_.closing()) {
    co_await sleep_for(options_.lease / 12);
    for (const auto& [id, run] : std::map(runs_)) {
      if (run->stopped() == Stop::lost || surely_held(*run)) continue;
      log_warn("a lease could not be renewed in time; its run is stopped",
               {{"job", id}, {"epoch", run->job().epoch}});
      run->stop(Stop::lost);
    }
  }
}

Task<void> Worker::reap_loop() {
  while (!upkeep_.closing()) {
    co_await sleep_for(options_.lease / 6);
    const auto reaped = co_await store_.reap(false);
    if (const auto tended = co_await store_.tend(); !tended)
      log_error("cannot look after waiting jobs", {{"error", tended.error().message}});
    if (!reaped)
      log_error("cannot look for dead workers", {{"error", reaped.error().message}});
    else if (*reaped > 0)
      log_warn("jobs of dead workers are queued again", {{"jobs", *reaped}});
  }
}

// What people ask for is heard of here at once; what is missed comes with the next renewal.
Task<void> Worker::watch_orders() {
  auto events = bus_.subscribe(std::nullopt);
  while (!upkeep_.closing()) {
    const auto event = co_await events->next(10s);
    if (events->lagged()) events = bus_.subscribe(std::nullopt);
    if (!event || event->type != events::Type::status) continue;
    if (event->data.at("state").as_string() == to_text(State::cancelling))
      stop_run(event->job, Stop::cancelled);
    else if (event->data.contains("pausing"))
      stop_run(event->job, Stop::paused);
  }
}

void Worker::stop_run(const JobId& job, Stop reason) {
  if (const auto found = runs_.find(job); found != runs_.end()) found->second->stop(reason);
}

Task<void> Worker::drain(steady_clock::duration grace) {
  draining_ = true;
  drain_until_ = std::min(drain_until_, steady_clock::now() + grace);
  drain_changed_.notify_all();
  store_.bell().ring();
  slot_freed_.notify_all();
  co_await claiming_
      .join();  // Not cancelled: what a claim under way brings still has to be run or given back.
  while (!runs_.empty() && steady_clock::now() < drain_until_) {
    co_await drain_changed_.wait_for(drain_until_ - steady_clock::now());
  }
  for (const auto& [id, run] : std::map(runs_)) run->stop(Stop::draining);
  co_await work_.join();
  co_await upkeep_.close();
  co_await background_.join();
}

}  // namespace trawl::jobs
