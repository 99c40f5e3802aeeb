#include "jobs/run.h"

namespace trawl::jobs {
namespace {

using namespace std::chrono_literals;
using std::chrono::steady_clock;

// Background writes of a run; a lost fence is not news here, the worker learns of it by itself.
Task<void> save(JobStore& store, Lease lease, json::object progress) {
  const auto saved = co_await store.save_progress(lease, std::move(progress));
  if (!saved && saved.error().code != Errc::conflict) {
    log_warn("progress was not saved", {{"job", lease.job}, {"error", saved.error().message}});
  }
}

Task<void> write_line(JobStore& store, JobId job, LogLevel level, std::string message) {
  const auto written = co_await store.add_log(job, level, std::move(message));
  if (!written)
    log_warn("a job's log line was not saved", {{"job", job}, {"error", written.error().message}});
}

}  // namespace

Run::Run(Job job, JobStore& store, events::Bus& bus, Scope& background)
    : job_(std::move(job)), store_(store), bus_(bus), background_(background) {}

Task<Result<void>> Run::advance(std::string phase, std::optional<json::object> checkpoint,
                                std::optional<std::string> title) {
  if (held_back_) {
    saved_ = {};
    tell(*std::exchange(held_back_, std::nullopt));
  }
  job_.phase = phase;
  if (checkpoint) job_.checkpoint = *checkpoint;
  co_return co_await store_.advance(lease(), std::move(phase), std::move(checkpoint), std::move(title));
}

void Run::progress(json::object progress) {
  progress["phase"] = job_.phase;
  if (steady_clock::now() - told_ < 250ms) {
    held_back_ = std::move(progress);
    return;
  }
  held_back_.reset();
  tell(std::move(progress));
}

void Run::tell(json::object progress) {
  told_ = steady_clock::now();
  bus_.publish({.seq = 0, .job = job_.id, .type = events::Type::progress, .at = {}, .data = progress});
  if (told_ - saved_ < 1s) return;
  saved_ = told_;
  background_.spawn("save progress", save(store_, lease(), std::move(progress)));
}

void Run::log(LogLevel level, std::string message) {
  if (lines_ > kMaxLines) return;
  if (++lines_ > kMaxLines) message = "further lines of this attempt are dropped";
  background_.spawn("write a log line", write_line(store_, job_.id, level, std::move(message)));
}

Run::Hook Run::on_stop(std::function<void()> action) {
  auto hook = std::make_shared<std::function<void()>>(std::move(action));
  if (stop_ != Stop::none)
    (*hook)();
  else
    hooks_.push_back(hook);
  return hook;
}

void Run::stop(Stop reason) {
  if (stop_ != Stop::none) return;
  stop_ = reason;
  for (const auto& weak : std::exchange(hooks_, {})) {
    if (const auto hook = weak.lock()) (*hook)();
  }
}

}  // namespace trawl::jobs
