#include "downloads/look_cache.h"

namespace trawl::downloads {

Task<Result<LookCache::Value>> LookCache::get(std::string key, Make make) {
  if (const auto found = entries_.find(key); found != entries_.end()) {
    const std::shared_ptr<Entry> entry = found->second;  // It may be forgotten while we wait.
    if (!entry->answer) {
      while (!entry->answer) co_await entry->changed.wait();
      co_return *entry->answer;
    }
    if (now_() < entry->until) {
      used_.splice(used_.begin(), used_, entry->used);
      co_return *entry->answer;
    }
    forget(found);
  }
  const auto entry = std::make_shared<Entry>(executor_);
  entries_[key] = entry;
  // Also when asking ends with an exception, nobody waits for ever.
  struct Asking {
    LookCache& cache;
    const std::string& key;
    Entry& entry;
    ~Asking() {
      if (!entry.answer) entry.answer = fail(Errc::unavailable, "the site was not asked to the end");
      cache.keep(key, entry);
      entry.changed.notify_all();
    }
  } asking{*this, key, *entry};
  auto made = co_await make();
  entry->answer = made ? Result<Value>(std::make_shared<const std::string>(std::move(*made)))
                       : Result<Value>(fail(std::move(made.error())));
  co_return *entry->answer;
}

void LookCache::keep(const std::string& key, Entry& entry) {
  const auto place = entries_.find(key);
  const Result<Value>& answer = *entry.answer;
  const bool lasting = answer || (!retryable(answer.error().code) && answer.error().code != Errc::internal &&
                                  answer.error().code != Errc::cancelled);
  const auto time = answer ? limits_.keep : std::min(limits_.keep, limits_.keep_errors);
  entry.cost = key.size() + sizeof(Entry) + (answer ? (*answer)->size() : answer.error().message.size());
  if (!lasting || time == time.zero() || entry.cost > limits_.bytes) {
    entries_.erase(place);
    return;
  }
  entry.until = now_() + time;
  used_.push_front(key);
  entry.used = used_.begin();
  bytes_ += entry.cost;
  while (bytes_ > limits_.bytes) forget(entries_.find(used_.back()));
}

void LookCache::forget(Entries::iterator place) {
  bytes_ -= place->second->cost;
  used_.erase(place->second->used);
  entries_.erase(place);
}

}  // namespace trawl::downloads
