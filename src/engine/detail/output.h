#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/posix/stream_descriptor.hpp>

#include "async/task.h"

namespace trawl::engine {

using SteadyTime = std::chrono::steady_clock::time_point;

// What a process wrote, cut into lines; keeps the last 64 KiB and nothing more.
class OutputTail {
 public:
  static constexpr std::size_t kKept = 64 << 10;
  static constexpr std::size_t kMaxLine = 2000;

  // The lines that `bytes` completes, each cut at kMaxLine, as valid UTF-8; empty ones are left out.
  [[nodiscard]] std::vector<std::string> feed(std::string_view bytes);
  // The last `count` lines, the oldest first.
  [[nodiscard]] std::vector<std::string> last_lines(std::size_t count) const;

 private:
  std::string kept_;
  std::string line_;
};

// Lets a burst of lines through and then so many a second.
class LineBudget {
 public:
  static constexpr double kBurst = 200;
  static constexpr double kPerSecond = 20;

  [[nodiscard]] bool allow(SteadyTime now);
  // How many were refused since the last call.
  [[nodiscard]] std::uint64_t take_refused() { return std::exchange(refused_, 0); }

 private:
  double tokens_ = kBurst;
  SteadyTime last_{};
  std::uint64_t refused_ = 0;
};

// Reads `pipe` to its end and gives every line to `on_line`. A writer that floods is slowed to about
// 4 MiB/s, so it costs neither memory nor the executor's time.
[[nodiscard]] Task<void> read_lines(asio::posix::stream_descriptor& pipe, OutputTail& tail,
                                    std::function<void(std::string)> on_line);

}  // namespace trawl::engine
