#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "transfer/range_plan.h"

namespace trawl::transfer::detail {

// How fast the connections of a file are together, measured over spans of time that say something, and how
// many of them that asks for. No clock of its own.
class PaceMeter {
 public:
  using Time = std::chrono::steady_clock::time_point;

  // Begins to measure: what came before says nothing of the connections there are now. `arrived`: bytes since
  // any fixed moment.
  void begin(Time now, std::int64_t arrived);
  [[nodiscard]] bool measuring() const { return since_.has_value(); }
  // How many connections there should be, once a span has passed in which so many bytes have arrived. Of
  // `pace` it finds out both rates itself.
  [[nodiscard]] std::optional<std::size_t> look(Time now, std::int64_t arrived,
                                                std::chrono::steady_clock::duration latency, Pace pace);

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
