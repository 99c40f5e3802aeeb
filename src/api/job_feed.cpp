#include "api/job_feed.h"

#include <boost/asio/experimental/awaitable_operators.hpp>

namespace trawl::api {
namespace {

constexpr std::size_t kReplayBatch = 200;

bool is_final(const events::Event& event) {
  return event.type == events::Type::status && event.data.at("final").as_bool();
}

json::object progress_message(const events::Event& event, SystemTime now) {
  const json::value* phase = event.data.if_contains("phase");
  const ProgressView view = progress_view(
      event.data, phase && phase->is_string() ? std::string_view(phase->as_string()) : "", false);
  return {{"type", "progress"},
          {"job_id", event.job.str()},
          {"progress", encode(view)},
          {"timestamp", to_iso8601(now)}};
}

json::object status_message(const events::Event& event) {
  json::object message = event.data;
  message["type"] = "status";
  message["seq"] = event.seq;
  message["job_id"] = event.job.str();
  message["timestamp"] = to_iso8601(event.at);
  return message;
}

json::object log_message(const events::Event& event) {
  const LogLine line = log_line(event);
  return {{"type", "log"},       {"seq", line.seq},         {"job_id", event.job.str()},
          {"level", line.level}, {"message", line.message}, {"timestamp", to_iso8601(line.timestamp)}};
}

}  // namespace

FeedItem feed_item(const events::Event& event, SystemTime now) {
  if (event.type == events::Type::progress) return {.seq = 0, .message = progress_message(event, now)};
  return {.seq = event.seq,
          .message = event.type == events::Type::status ? status_message(event) : log_message(event)};
}

Task<Result<void>> JobFeed::begin(std::optional<std::int64_t> last_seq) {
  // Subscribed before anything is read, so nothing falls between the two.
  subscription_ = downloads_.bus().subscribe(job_);
  const auto newest = co_await newest_seq();
  if (!newest) co_return fail(newest.error());
  const auto download = co_await downloads_.find(job_);
  if (!download) co_return fail(download.error());

  const bool final = jobs::final(download->job.state);
  waiting_.push_back({.seq = 0,
                      .message = {{"type", "connected"},
                                  {"job_id", job_.str()},
                                  {"message", "watching the download"},
                                  {"timestamp", to_iso8601(clock_.now())}}});
  waiting_.push_back({.seq = *newest,
                      .message = {{"type", "snapshot"},
                                  {"job_id", job_.str()},
                                  {"job", encode(view_of(*download, context_))},
                                  {"last_seq", *newest}}});
  // A download that has ended still tells so: its last event is sent again.
  sent_ = last_seq.value_or(final ? *newest - 1 : *newest);
  seen_all_ = final && last_seq && *last_seq >= *newest;
  co_return Result<void>();
}

Task<Result<std::optional<FeedItem>>> JobFeed::next(std::chrono::steady_clock::duration patience) {
  using namespace asio::experimental::awaitable_operators;
  const auto deadline = std::chrono::steady_clock::now() + patience;
  while (!stopped_) {
    if (!waiting_.empty()) {
      FeedItem item = std::move(waiting_.front());
      waiting_.pop_front();
      co_return item;
    }
    if (last_) break;
    if (behind_) {
      if (auto read = co_await read_log(); !read) co_return fail(read.error());
      continue;
    }
    const auto left = deadline - std::chrono::steady_clock::now();
    if (left <= left.zero()) break;
    const auto woken = co_await (subscription_->next(left) || stopped_event_.wait());
    if (subscription_->lagged()) {
      subscription_ = downloads_.bus().subscribe(job_);
      behind_ = true;
    }
    const auto* arrived = std::get_if<0>(&woken);
    if (!arrived || !*arrived) continue;
    if ((*arrived)->elsewhere && (*arrived)->type != events::Type::progress) {
      behind_ = true;  // Two nodes may be heard in another order than they wrote.
      continue;
    }
    take(**arrived);
    last_ = is_final(**arrived);
  }
  co_return std::nullopt;
}

Task<Result<void>> JobFeed::read_log() {
  const auto missed = co_await downloads_.log().since(job_, sent_, kReplayBatch);
  if (!missed) co_return fail(missed.error());
  for (const events::Event& event : *missed) {
    take(event);
    // A download that ended may have been asked for again: the newest status counts.
    if (event.type == events::Type::status) last_ = is_final(event);
  }
  behind_ = missed->size() == kReplayBatch;
  if (behind_) last_ = false;
  co_return Result<void>();
}

void JobFeed::take(const events::Event& event) {
  if (event.type != events::Type::progress) {
    if (event.seq <= sent_) return;
    sent_ = event.seq;
  }
  waiting_.push_back(feed_item(event, clock_.now()));
}

Task<Result<std::int64_t>> JobFeed::newest_seq() {
  std::int64_t newest = 0;
  while (true) {
    const auto events = co_await downloads_.log().since(job_, newest, kReplayBatch);
    if (!events) co_return fail(events.error());
    if (!events->empty()) newest = events->back().seq;
    if (events->size() < kReplayBatch) co_return newest;
  }
}

void JobFeed::stop() {
  stopped_ = true;
  stopped_event_.notify_all();
}

}  // namespace trawl::api
