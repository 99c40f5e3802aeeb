#pragma once

#include <atomic>
#include <chrono>
#include <curl/curl.h>
#include <memory>
#include <mutex>
#include <thread>
#include <unordered_map>
#include <vector>

#include "transfer/detail/exchange.h"

namespace trawl::transfer::detail {

// The transfer thread: a curl multi handle and what is under way on it.
class TransferLoop {
 public:
  TransferLoop();
  ~TransferLoop();
  TransferLoop(const TransferLoop&) = delete;
  TransferLoop& operator=(const TransferLoop&) = delete;

  void start();
  void close();

  // Starts a prepared hop. Its on_done is called on the transfer thread when it has ended, however it
  // ends. Any thread.
  void submit(std::shared_ptr<Exchange> exchange);
  // Looks for exchanges that were cancelled. Any thread.
  void look();

 private:
  using Time = std::chrono::steady_clock::time_point;

  void run();
  [[nodiscard]] bool take_submitted();
  void add(std::shared_ptr<Exchange> exchange);
  void settle_finished();
  void end_cancelled();
  void end_quiet(Time now);
  [[nodiscard]] std::chrono::milliseconds resume_paused(Time now);
  void finish(CURL* easy, CURLcode code);

  CURLM* multi_;
  std::thread thread_;
  std::atomic<bool> look_ = false;

  std::mutex mutex_;  // Guards what follows, up to the blank line.
  std::vector<std::shared_ptr<Exchange>> submitted_;
  bool open_ = false;

  std::unordered_map<CURL*, std::shared_ptr<Exchange>> active_;  // Of the transfer thread.
  Time swept_{};
};

}  // namespace trawl::transfer::detail
