#include "metrics/registry.h"

#include <prometheus/text_serializer.h>
#include <sstream>

namespace trawl::metrics {

Family<Counter> Registry::counters(const std::string& name, const std::string& help) {
  return {prometheus::BuildCounter().Name(name).Help(help).Register(registry_)};
}

Family<Gauge> Registry::gauges(const std::string& name, const std::string& help) {
  return {prometheus::BuildGauge().Name(name).Help(help).Register(registry_)};
}

Family<Histogram> Registry::histograms(const std::string& name, const std::string& help,
                                       std::vector<double> buckets) {
  return {prometheus::BuildHistogram().Name(name).Help(help).Register(registry_), std::move(buckets)};
}

Counter& Registry::counter(const std::string& name, const std::string& help) {
  return counters(name, help).at({});
}

Gauge& Registry::gauge(const std::string& name, const std::string& help) {
  return gauges(name, help).at({});
}

Histogram& Registry::histogram(const std::string& name, const std::string& help,
                               std::vector<double> buckets) {
  return histograms(name, help, std::move(buckets)).at({});
}

std::string Registry::text() const {
  std::ostringstream out;
  prometheus::TextSerializer().Serialize(out, registry_.Collect());
  return std::move(out).str();
}

}  // namespace trawl::metrics
