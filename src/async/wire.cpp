#include "async/wire.h"

#include <atomic>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <thread>

#include <boost/asio/post.hpp>

#include "base/log.h"

namespace trawl {
namespace {

using namespace std::chrono_literals;
using std::chrono::milliseconds;

constexpr std::size_t kMostWaiting = 10'000;
constexpr std::size_t kSendTogether = 100;
constexpr milliseconds kListenAtOnce = 500ms;  // How long stop() may have to wait.

// Connects again and again, slower each time, and says in the log when that begins and ends.
class Reconnecting {
 public:
  Reconnecting(const std::string& name, Connect& connect) : name_(name), connect_(connect) {}

  // Nothing when the server cannot be reached now; then `pause()` says how long to wait.
  WireLink* link() {
    if (link_) return link_.get();
    auto made = connect_();
    if (!made) {
      lost(made.error());
      return nullptr;
    }
    if (was_lost_) log_info("the link is back", {{"link", name_}});
    link_ = std::move(*made);
    pause_ = 0ms;
    return link_.get();
  }
  void lost(const Error& error) {
    if (!was_lost_ || link_) log_warn("the link is down", {{"link", name_}, {"error", error.message}});
    link_.reset();
    was_lost_ = true;
    pause_ = std::min<milliseconds>(2s, pause_ * 2 + 50ms);
  }
  // Whether the link was lost since the last call, and is there again.
  bool came_back() { return link_ && std::exchange(was_lost_, false); }
  [[nodiscard]] milliseconds pause() const { return pause_; }

 private:
  const std::string& name_;
  Connect& connect_;
  std::unique_ptr<WireLink> link_;
  bool was_lost_ = false;
  milliseconds pause_{0};
};

class ThreadedWire final : public Wire {
 public:
  ThreadedWire(asio::any_io_executor loop, std::string name, Connect sending, Connect listening)
      : loop_(std::move(loop)),
        name_(std::move(name)),
        sending_(std::move(sending)),
        listening_(std::move(listening)),
        ears_(std::make_shared<Ears>()) {}
  ~ThreadedWire() override { stop(); }

  void start(Ears ears) override {
    *ears_ = std::move(ears);
    sender_ = std::thread([this] { send_loop(); });
    listener_ = std::thread([this] { listen_loop(); });
  }

  void send(std::string message) override {
    const std::lock_guard lock(mutex_);
    if (stopped_ || waiting_.size() >= kMostWaiting) return;
    waiting_.push_back(std::move(message));
    changed_.notify_all();
  }

  void deafen(bool deaf) override { deaf_ = deaf; }

  void stop() override {
    {
      const std::lock_guard lock(mutex_);
      stopped_ = true;
      if (receiving_) receiving_->interrupt();
    }
    changed_.notify_all();
    if (sender_.joinable()) sender_.join();
    if (listener_.joinable()) listener_.join();
    *ears_ = {};  // What was posted before finds nobody.
  }

 private:
  void send_loop() {
    Reconnecting server(name_, sending_);
    while (true) {
      const auto messages = take();
      if (messages.empty()) return;
      WireLink* link = server.link();
      const auto sent = link ? link->send(messages) : Result<void>();
      if (!sent) server.lost(sent.error());
      (void)server.came_back();
      if (server.pause() > 0ms && wait_stopped(server.pause())) return;
    }
  }

  void listen_loop() {
    Reconnecting server(name_, listening_);
    while (!stopped()) {
      WireLink* link = deaf_ ? nullptr : server.link();
      if (!link) {
        if (wait_stopped(std::max(server.pause(), 50ms))) return;
        continue;
      }
      if (server.came_back()) tell(&Ears::missed);
      if (!set_receiving(link)) return;
      auto heard = link->receive(kListenAtOnce);
      set_receiving(nullptr);
      if (!heard) {
        server.lost(heard.error());
        continue;
      }
      for (std::string& message : *heard) tell(&Ears::heard, std::move(message));
    }
  }

  template <class F, class... A>
  void tell(F Ears::* what, A... arguments) {
    asio::post(loop_, [ears = ears_, what, ... arguments = std::move(arguments)]() mutable {
      if (auto& call = (*ears).*what) call(std::move(arguments)...);
    });
  }

  // What waits to be sent; nothing once the wire is stopped and all was taken.
  std::vector<std::string> take() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return stopped_ || !waiting_.empty(); });
    const std::size_t count = std::min(waiting_.size(), kSendTogether);
    std::vector<std::string> out(std::make_move_iterator(waiting_.begin()),
                                 std::make_move_iterator(waiting_.begin() + static_cast<long>(count)));
    waiting_.erase(waiting_.begin(), waiting_.begin() + static_cast<long>(count));
    return out;
  }
  // False once the wire is stopped: then the link goes, and nobody may interrupt it any more.
  bool set_receiving(WireLink* link) {
    const std::lock_guard lock(mutex_);
    receiving_ = stopped_ ? nullptr : link;
    return !stopped_;
  }
  bool wait_stopped(milliseconds time) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, time, [this] { return stopped_; });
  }
  bool stopped() {
    const std::lock_guard lock(mutex_);
    return stopped_;
  }

  const asio::any_io_executor loop_;
  const std::string name_;
  Connect sending_, listening_;
  std::shared_ptr<Ears> ears_;  // Used on the loop only, once started.
  std::atomic<bool> deaf_ = false;

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<std::string> waiting_;
  bool stopped_ = false;
  WireLink* receiving_ = nullptr;  // The link that waits for messages now.
  std::thread sender_, listener_;
};

}  // namespace

std::unique_ptr<Wire> make_wire(asio::any_io_executor loop, std::string name, Connect sending,
                                Connect listening) {
  return std::make_unique<ThreadedWire>(std::move(loop), std::move(name), std::move(sending),
                                        std::move(listening));
}

}  // namespace trawl
