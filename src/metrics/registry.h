#pragma once

#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace trawl::metrics {

using prometheus::Counter;
using prometheus::Gauge;
using prometheus::Histogram;
using prometheus::Labels;

// Several values of one name, told apart by labels. at() makes one when it is first asked for; the
// reference stays valid. Labels come from closed sets (label.h): every new combination stays for good.
template <class T>
class Family {
 public:
  Family(prometheus::Family<T>& family, prometheus::Histogram::BucketBoundaries buckets = {})
      : family_(family), buckets_(std::move(buckets)) {}

  [[nodiscard]] T& at(const Labels& labels) {
    if constexpr (std::is_same_v<T, Histogram>)
      return family_.Add(labels, buckets_);
    else
      return family_.Add(labels);
  }

  // For what is a fact (versions): 1 for these labels, and no others any more.
  void only(const Labels& labels)
    requires std::is_same_v<T, Gauge>
  {
    T& now = family_.Add(labels);
    if (fact_ && fact_ != &now) family_.Remove(fact_);
    (fact_ = &now)->Set(1);
  }

 private:
  T* fact_ = nullptr;
  prometheus::Family<T>& family_;
  prometheus::Histogram::BucketBoundaries buckets_;
};

// The figures of one process. Whoever has something to tell asks for it once, by its full name
// ("trawl_queue_wait_seconds"), and keeps the reference; counting is safe on any thread. A name asked for
// again is the same figure; one that is no name of Prometheus throws.
class Registry {
 public:
  [[nodiscard]] Counter& counter(const std::string& name, const std::string& help);
  [[nodiscard]] Gauge& gauge(const std::string& name, const std::string& help);
  [[nodiscard]] Histogram& histogram(const std::string& name, const std::string& help,
                                     std::vector<double> buckets);
  [[nodiscard]] Family<Counter> counters(const std::string& name, const std::string& help);
  [[nodiscard]] Family<Gauge> gauges(const std::string& name, const std::string& help);
  [[nodiscard]] Family<Histogram> histograms(const std::string& name, const std::string& help,
                                             std::vector<double> buckets);

  // All of them in Prometheus' text format, version 0.0.4.
  [[nodiscard]] std::string text() const;

 private:
  prometheus::Registry registry_;
};

inline constexpr const char* kContentType = "text/plain; version=0.0.4; charset=utf-8";

}  // namespace trawl::metrics
