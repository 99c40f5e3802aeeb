#include "events/bus.h"

#include <algorithm>

namespace trawl::events {
namespace {

bool is_final(const Event& event) {
  if (event.type != Type::status) return false;
  const auto* mark = event.data.if_contains("final");
  return mark && mark->is_bool() && mark->get_bool();
}

}  // namespace

Task<std::optional<Event>> Subscription::next(std::chrono::steady_clock::duration limit) {
  if (waiting_.empty() && !lagged_) co_await arrived_.wait_for(limit);
  if (waiting_.empty()) co_return std::nullopt;
  Event event = std::move(waiting_.front());
  waiting_.pop_front();
  if (event.type != Type::progress) --recorded_;
  co_return event;
}

bool Subscription::replace_progress(const Event& event) {
  const auto older = std::ranges::find_if(
      waiting_, [&](const Event& e) { return e.type == Type::progress && e.job == event.job; });
  if (older == waiting_.end()) return false;
  *older = event;
  return true;
}

void Subscription::offer(const Event& event) {
  if (lagged_ || (job_ && *job_ != event.job)) return;
  const bool recorded = event.type != Type::progress;
  if (recorded && recorded_ == kCapacity) {
    cut_off();
  } else if (recorded || !replace_progress(event)) {
    waiting_.push_back(event);
    if (recorded) ++recorded_;
  }
  arrived_.notify_all();
}

void Subscription::cut_off() {
  lagged_ = true;
  waiting_.clear();
  recorded_ = 0;
  arrived_.notify_all();
}

void Bus::cut_off_all() {
  for (const auto& weak : subscriptions_) {
    if (const auto subscription = weak.lock()) subscription->cut_off();
  }
}

void Bus::publish(const Event& event) {
  if (tap_ && !event.elsewhere) tap_(event);
  if (event.type == Type::progress) remember(event);
  if (is_final(event)) progress_.erase(event.job);
  for (auto it = subscriptions_.begin(); it != subscriptions_.end();) {
    const auto subscription = it->lock();
    if (subscription) subscription->offer(event);
    it = subscription ? std::next(it) : subscriptions_.erase(it);
  }
}

void Bus::remember(const Event& event) {
  progress_.insert_or_assign(event.job, event);
  if (progress_.size() <= kProgressCapacity) return;
  progress_.erase(std::ranges::min_element(progress_, {}, [](const auto& entry) { return entry.second.at; }));
}

std::shared_ptr<Subscription> Bus::subscribe(std::optional<JobId> job) {
  auto subscription = std::make_shared<Subscription>(executor_, job);
  std::erase_if(subscriptions_, [](const auto& known) { return known.expired(); });
  subscriptions_.push_back(subscription);
  return subscription;
}

std::optional<json::object> Bus::progress_of(const JobId& job) const {
  const auto found = progress_.find(job);
  if (found == progress_.end()) return std::nullopt;
  return found->second.data;
}

}  // namespace trawl::events
