#include "transfer/range_plan.h"

#include <algorithm>
#include <cmath>

namespace trawl::transfer {
namespace {

using namespace std::chrono_literals;

constexpr std::int64_t kLeastWorthSplitting = 128 * 1024;
constexpr std::int64_t kWorthSplitting = 1024 * 1024;
constexpr double kSecondsWorthSplitting = 0.1;
constexpr std::int64_t kWorthGrowing = 4 * 1024 * 1024;
constexpr double kSecondsWorthGrowing = 0.5;
constexpr double kGain = 1.3;
constexpr std::size_t kGrowth = 8;
constexpr auto kShortestMeasure = 60ms;
constexpr auto kLongestMeasure = 400ms;

Span shortened(Span span, std::int64_t chunk) {
  if (chunk > 0 && span.size() > chunk) span.end = span.first + chunk;
  return span;
}

}  // namespace

void Spans::add(Span span) {
  if (span.size() <= 0) return;
  auto first = std::ranges::lower_bound(spans_, span.first, {}, &Span::end);
  auto last = first;
  while (last != spans_.end() && last->first <= span.end) {
    span.first = std::min(span.first, last->first);
    span.end = std::max(span.end, last->end);
    ++last;
  }
  spans_.insert(spans_.erase(first, last), span);
}

std::int64_t Spans::bytes() const {
  std::int64_t sum = 0;
  for (const Span& span : spans_) sum += span.size();
  return sum;
}

bool Spans::covers(Span span) const {
  return missing(span).empty();
}

std::vector<Span> Spans::missing(Span within) const {
  std::vector<Span> out;
  std::int64_t at = within.first;
  for (const Span& span : spans_) {
    if (span.end <= at) continue;
    if (span.first >= within.end) break;
    if (span.first > at) out.push_back({at, span.first});
    at = span.end;
  }
  if (at < within.end) out.push_back({at, within.end});
  return out;
}

std::optional<Assignment> assign(const Spans& done, const std::vector<Span>& claimed, std::int64_t total,
                                 std::int64_t chunk, std::int64_t worth) {
  Spans taken = done;
  for (const Span& span : claimed) taken.add(span);
  if (const auto open = taken.missing({0, total}); !open.empty())
    return Assignment{shortened(open.front(), chunk), {}};

  const auto longest = std::ranges::max_element(claimed, {}, &Span::size);
  if (longest == claimed.end() || longest->size() < 2 * worth) return std::nullopt;
  const std::int64_t middle = longest->first + longest->size() / 2;
  return Assignment{shortened({middle, longest->end}, chunk),
                    static_cast<std::size_t>(longest - claimed.begin())};
}

std::int64_t worth_splitting(double bytes_per_second) {
  if (bytes_per_second <= 0) return kWorthSplitting;
  return std::clamp(static_cast<std::int64_t>(bytes_per_second * kSecondsWorthSplitting),
                    kLeastWorthSplitting, kWorthSplitting);
}

std::chrono::steady_clock::duration measuring_time(std::chrono::steady_clock::duration latency) {
  return std::clamp<std::chrono::steady_clock::duration>(2 * latency, kShortestMeasure, kLongestMeasure);
}

std::size_t wanted_connections(const Pace& pace) {
  const auto as_it_is = std::max<std::size_t>(pace.connections, 1);
  if (pace.connections >= pace.most_connections || pace.remaining < kWorthGrowing) return as_it_is;
  if (static_cast<double>(pace.remaining) < pace.bytes_per_second * kSecondsWorthGrowing) return as_it_is;
  if (pace.limit > 0 && pace.bytes_per_second > 0.9 * static_cast<double>(pace.limit)) return as_it_is;
  if (pace.before > 0 && pace.bytes_per_second < kGain * pace.before) return as_it_is;
  // As many as would bring the rest within that time if each is as fast as those there are.
  const double seconds = static_cast<double>(pace.remaining) / std::max(pace.bytes_per_second, 1.0);
  const double factor = std::min(seconds / kSecondsWorthGrowing, static_cast<double>(kGrowth));
  const auto more = static_cast<std::size_t>(std::ceil(factor * static_cast<double>(as_it_is)));
  return std::min(pace.most_connections, std::max(more, as_it_is + 1));
}

}  // namespace trawl::transfer
