#include "transfer/detail/transfer_loop.h"

#include <algorithm>
#include <new>

#include "base/log.h"

namespace trawl::transfer::detail {
namespace {

using namespace std::chrono_literals;

constexpr auto kSweepEvery = 1s;
constexpr auto kShortestPause = 5ms;  // Of one that is over its rate.
constexpr auto kNextLook = 1ms;       // At a sink that holds back, which does not say when it is ready.
constexpr long kIdleConnections = 64;

void initialise_curl() {
  static const CURLcode once = ::curl_global_init(CURL_GLOBAL_DEFAULT);
  if (once != CURLE_OK) throw std::bad_alloc();
}

}  // namespace

TransferLoop::TransferLoop() {
  initialise_curl();
  multi_ = ::curl_multi_init();
  if (!multi_) throw std::bad_alloc();
  ::curl_multi_setopt(multi_, CURLMOPT_MAXCONNECTS, kIdleConnections);
}

TransferLoop::~TransferLoop() {
  close();
  ::curl_multi_cleanup(multi_);
}

void TransferLoop::start() {
  const std::scoped_lock lock(mutex_);
  if (open_ || thread_.joinable()) return;
  open_ = true;
  thread_ = std::thread([this] { run(); });
}

void TransferLoop::close() {
  {
    const std::scoped_lock lock(mutex_);
    open_ = false;
  }
  ::curl_multi_wakeup(multi_);
  if (thread_.joinable()) thread_.join();
}

void TransferLoop::submit(std::shared_ptr<Exchange> exchange) {
  {
    const std::scoped_lock lock(mutex_);
    if (open_) {
      submitted_.push_back(std::move(exchange));
      ::curl_multi_wakeup(multi_);
      return;
    }
  }
  exchange->cancel();
  auto done = std::move(exchange->on_done);
  done(CURLE_ABORTED_BY_CALLBACK);
}

void TransferLoop::look() {
  look_ = true;
  ::curl_multi_wakeup(multi_);
}

void TransferLoop::run() {
  while (take_submitted()) {
    int running = 0;
    ::curl_multi_perform(multi_, &running);
    settle_finished();
    if (look_.exchange(false)) end_cancelled();
    const auto now = std::chrono::steady_clock::now();
    end_quiet(now);
    const auto wait = resume_paused(now);
    ::curl_multi_poll(multi_, nullptr, 0, static_cast<int>(wait.count()), nullptr);
  }
  for (const auto& [easy, exchange] : active_) exchange->cancel();
  end_cancelled();
}

bool TransferLoop::take_submitted() {
  std::vector<std::shared_ptr<Exchange>> fresh;
  bool open = false;
  {
    const std::scoped_lock lock(mutex_);
    fresh.swap(submitted_);
    open = open_;
  }
  for (auto& exchange : fresh) add(std::move(exchange));
  return open;
}

void TransferLoop::add(std::shared_ptr<Exchange> exchange) {
  CURL* const easy = exchange->easy();
  active_.emplace(easy, std::move(exchange));
  if (::curl_multi_add_handle(multi_, easy) != CURLM_OK) finish(easy, CURLE_OUT_OF_MEMORY);
}

void TransferLoop::settle_finished() {
  int left = 0;
  while (const CURLMsg* message = ::curl_multi_info_read(multi_, &left)) {
    if (message->msg == CURLMSG_DONE) finish(message->easy_handle, message->data.result);
  }
}

void TransferLoop::end_cancelled() {
  std::vector<CURL*> ended;
  for (const auto& [easy, exchange] : active_) {
    if (exchange->cancelled()) ended.push_back(easy);
  }
  for (CURL* easy : ended) finish(easy, CURLE_ABORTED_BY_CALLBACK);
}

void TransferLoop::end_quiet(Time now) {
  if (now - swept_ < kSweepEvery) return;
  swept_ = now;
  std::vector<CURL*> ended;
  for (const auto& [easy, exchange] : active_) {
    if (exchange->is_quiet(now)) ended.push_back(easy);
  }
  for (CURL* easy : ended) finish(easy, CURLE_OPERATION_TIMEDOUT);
}

// Lets go on what has paid its debt; says how long until there may be more to do.
std::chrono::milliseconds TransferLoop::resume_paused(Time now) {
  auto wait = std::chrono::duration_cast<std::chrono::milliseconds>(kSweepEvery);
  for (const auto& [easy, exchange] : active_) {
    if (!exchange->paused()) continue;
    const auto debt = exchange->debt(now);
    if (debt.count() <= 0 && exchange->ready()) {
      exchange->resume();
      wait = {};
      continue;
    }
    const auto again =
        debt.count() > 0 ? std::max<std::chrono::steady_clock::duration>(kShortestPause, debt) : kNextLook;
    wait = std::min(wait, std::chrono::ceil<std::chrono::milliseconds>(again));
  }
  return wait;
}

void TransferLoop::finish(CURL* easy, CURLcode code) {
  const auto found = active_.find(easy);
  const auto exchange = std::move(found->second);
  active_.erase(found);
  ::curl_multi_remove_handle(multi_, easy);
  // Taken out first: the loop may go on with the exchange before this call returns.
  auto done = std::move(exchange->on_done);
  done(code);
}

}  // namespace trawl::transfer::detail
