#include "server/engine_keeper.h"

#include "base/log.h"
#include "downloads/extractor_outcomes.h"
#include "updates/guard.h"

namespace trawl::server {

void EngineKeeper::start(std::string running) {
  running_ = std::move(running);
  version_ = engine_.versions().ytdlp;
  scope_.spawn("keep the engine fresh", keep());
}

Task<void> EngineKeeper::keep() {
  while (!stopping_) {
    co_await follow();
    co_await take_back_when_bad();
    co_await update_when_due();
    if (!stopping_) co_await wake_.wait_for(options_.look_every);
  }
}

Task<void> EngineKeeper::stop() {
  stopping_ = true;
  wake_.notify_all();
  co_await scope_.join();
}

// Another process, or a person, may have changed what is in use.
Task<void> EngineKeeper::follow() {
  const auto state = updater_.shelf().read();
  if (!state) {
    log_error("the shelf of engines cannot be read", {{"error", state.error().message}});
    co_return;
  }
  if (state->current == running_ || state->current == refused_) co_return;
  auto next = engine::make_engine(executor_, updater_.engine_of(state->current));
  if (auto started = co_await next->start(); !started) {
    log_error("a release of yt-dlp does not start; the one before stays",
              {{"release", state->current}, {"error", started.error().message}});
    refused_ = state->current;
    co_await next->stop();
    co_return;
  }
  engine_.exchange(std::move(next));
  running_ = state->current;
  refused_.reset();
  version_before_ = std::exchange(version_, engine_.versions().ytdlp);
  log_info("another yt-dlp is in use",
           {{"ytdlp", version_}, {"before", version_before_}, {"why", state->why}});
}

Task<void> EngineKeeper::update_when_due() {
  if (options_.check_every.count() == 0 || clock_.now() < next_try_) co_return;
  const auto state = updater_.shelf().read();
  if (!state || (state->checked_at && clock_.now() < *state->checked_at + options_.check_every)) co_return;
  const auto updated = co_await updater_.update(version_, false);
  if (!updated) {
    log_warn("yt-dlp could not be updated",
             {{"error", updated.error().message}, {"reason", updated.error().reason}});
    // Not again and again: what is offered changes once a day at most.
    next_try_ = clock_.now() + kAfterFailure;
  }
}

Task<void> EngineKeeper::take_back_when_bad() {
  if (running_.empty() || refused_ == running_) co_return;
  const auto jumped = co_await has_jumped();
  if (!jumped || !*jumped) co_return;
  log_error("yt-dlp fails much more often than the one before and is taken back", {{"ytdlp", version_}});
  if (const auto back = co_await updater_.rollback("it failed much more often than the one before"); !back)
    log_error("yt-dlp cannot be taken back", {{"error", back.error().message}});
}

Task<Result<bool>> EngineKeeper::has_jumped() {
  const auto records = co_await database_.read(
      [](db::Transaction& transaction) { return downloads::extractor_records(transaction); });
  if (!records) co_return fail(records.error());
  updates::Record now, before;
  for (const downloads::ExtractorRecord& record : *records) {
    updates::Record* which = record.version == version_          ? &now
                             : record.version == version_before_ ? &before
                                                                 : nullptr;
    if (which) which->completed += record.completed, which->failed += record.failed;
  }
  co_return updates::has_jumped(now, before);
}

}  // namespace trawl::server
