#include "transfer/stop.h"

#include <atomic>
#include <list>
#include <mutex>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

namespace trawl::transfer {

// Set and asked on several threads, which is why this has a mutex.
struct Stop::State {
  std::atomic<bool> set = false;
  std::mutex mutex;
  std::list<std::function<void()>> calls;
};

Stop::Stop() : state_(std::make_shared<State>()) {}

void Stop::set() {
  const std::scoped_lock lock(state_->mutex);
  if (state_->set.exchange(true)) return;
  for (const auto& call : state_->calls) call();
}

bool Stop::is_set() const {
  return state_->set;
}

Stop::Subscription Stop::on_set(std::function<void()> call) const {
  const std::scoped_lock lock(state_->mutex);
  if (state_->set) {
    call();
    return {};
  }
  const auto where = state_->calls.insert(state_->calls.end(), std::move(call));
  return {static_cast<void*>(state_.get()), [state = state_, where](void*) {
            const std::scoped_lock guard(state->mutex);
            state->calls.erase(where);
          }};
}

Task<void> sleep_unless_stopped(std::chrono::steady_clock::duration time, Stop stop) {
  const auto executor = co_await asio::this_coro::executor;
  const auto timer = std::make_shared<asio::steady_timer>(executor, time);
  const auto subscription =
      stop.on_set([executor, timer] { asio::post(executor, [timer] { timer->cancel(); }); });
  if (!stop.is_set()) co_await timer->async_wait(as_result);
}

}  // namespace trawl::transfer
