#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

namespace trawl::transfer::detail {

// How fast the connections of a file are together, measured over spans of time that say something, and how
// many of them that asks for. No clock of its own.
class PaceMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  struct Look {
    Time now;
    std::int64_t arrived = 0;  // Bytes since any fixed moment.
    std::chrono::steady_clock::duration latency{};
    std::size_t connections = 1;
    std::int64_t remaining = 0;
    std::size_t most_connections = 1;
    std::int64_t limit = 0;  // Bytes a second that are allowed; 0: any.
  };

  // Begins to measure: what came before says nothing of the connections there are now.
  void begin(Time now, std::int64_t arrived);
  [[nodiscard]] bool measuring() const { return since_.has_value(); }
  // How many connections there should be, once a span has passed.
  [[nodiscard]] std::optional<std::size_t> look(const Look& at);

  // As measured last.
  [[nodiscard]] double bytes_per_second() const { return current_; }
  // How many connections there were at its best; nothing before the first measurement.
  [[nodiscard]] std::optional<std::size_t> best_connections() const;

 private:
  std::optional<Time> since_;
  std::int64_t arrived_ = 0;
  double current_ = 0, before_ = 0;  // `before_`: when a connection was added last.
  double best_ = 0;
  std::size_t best_connections_ = 1;
};

}  // namespace trawl::transfer::detail
