#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

namespace trawl::transfer {

// Bytes `first` up to but not including `end`.
struct Span {
  std::int64_t first = 0;
  std::int64_t end = 0;

  [[nodiscard]] std::int64_t size() const { return end - first; }
  friend bool operator==(const Span&, const Span&) = default;
};

// Which bytes of a file are there: sorted spans that do not touch.
class Spans {
 public:
  void add(Span span);
  void clear() { spans_.clear(); }
  [[nodiscard]] std::int64_t bytes() const;
  [[nodiscard]] bool covers(Span span) const;
  // The parts of `within` that are not there, in order.
  [[nodiscard]] std::vector<Span> missing(Span within) const;
  [[nodiscard]] const std::vector<Span>& list() const { return spans_; }

 private:
  std::vector<Span> spans_;
};

// The next piece of work of a connection.
struct Assignment {
  Span span;
  // The connection, by its place in `claimed`, that has to stop at span.first and leave the rest.
  std::optional<std::size_t> taken_from;

  friend bool operator==(const Assignment&, const Assignment&) = default;
};

// The first missing piece that nobody works on, no longer than `chunk` (0: any length); otherwise the
// second half of the longest claim, if each half has at least `worth` bytes. `claimed` says what each
// connection still has before it.
[[nodiscard]] std::optional<Assignment> assign(const Spans& done, const std::vector<Span>& claimed,
                                               std::int64_t total, std::int64_t chunk, std::int64_t worth);

// How many bytes are worth a request of their own where one connection brings so many per second (0: not
// known yet).
[[nodiscard]] std::int64_t worth_splitting(double bytes_per_second);

// How long to look at a transfer before it is judged, where the origin took `latency` to begin: long
// enough for new connections to get up to speed.
[[nodiscard]] std::chrono::steady_clock::duration measuring_time(std::chrono::steady_clock::duration latency);

// A measurement of a transfer.
struct Pace {
  std::size_t connections = 1;
  double bytes_per_second = 0;
  double before = 0;  // With fewer connections; 0: there were none.
  std::int64_t remaining = 0;
  std::size_t most_connections = 1;
  std::int64_t limit = 0;  // The rate asked for; 0: none.
};

// How many connections the transfer should have. More only where it is held back per connection: one
// that is fast, or would end soon, or gained little by the last addition, stays as it is. The slower the
// transfer, the more are added.
[[nodiscard]] std::size_t wanted_connections(const Pace& pace);

}  // namespace trawl::transfer
