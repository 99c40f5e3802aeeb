#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "metrics/label.h"
#include "metrics/process.h"
#include "metrics/registry.h"

namespace trawl::metrics {
namespace {

using testing::HasSubstr;
using testing::Not;

TEST(Metrics, ACounterIsShownWithWhatWasCounted) {
  Registry registry;
  Counter& jobs = registry.counter("jobs", "Jobs.");
  jobs.Increment();
  jobs.Increment(2);
  EXPECT_THAT(registry.text(), HasSubstr("# HELP jobs Jobs.\n# TYPE jobs counter\njobs 3\n"));
}

TEST(Metrics, ANameAskedForAgainIsTheSameFigure) {
  Registry registry;
  registry.counter("jobs", "Jobs.").Increment();
  EXPECT_EQ(registry.counter("jobs", "Jobs.").Value(), 1);
  EXPECT_EQ(&registry.counters("by", "").at({{"way", "a"}}), &registry.counters("by", "").at({{"way", "a"}}));
}

TEST(Metrics, LabelsAreEscapedSoThatAValueCannotForgeALine) {
  Registry registry;
  registry.gauges("info", "").at({{"v", "a\"} 1\nforged 2"}}).Set(1);
  EXPECT_THAT(registry.text(), HasSubstr("info{v=\"a\\\"} 1\\nforged 2\"} 1"));
  EXPECT_THAT(registry.text(), Not(HasSubstr("\nforged")));
}

TEST(Metrics, AHistogramCountsIntoItsBuckets) {
  Registry registry;
  Histogram& wait = registry.histogram("wait_seconds", "Wait.", {0.1, 1});
  for (const double seconds : {0.05, 0.5, 5.0}) wait.Observe(seconds);
  EXPECT_THAT(registry.text(), testing::AllOf(HasSubstr("wait_seconds_count 3"),
                                              HasSubstr("wait_seconds_bucket{le=\"0.1\"} 1"),
                                              HasSubstr("wait_seconds_bucket{le=\"1\"} 2"),
                                              HasSubstr("wait_seconds_bucket{le=\"+Inf\"} 3")));
}

TEST(Metrics, AFactReplacesTheOneBefore) {
  Registry registry;
  auto version = registry.gauges("info", "");
  for (const char* number : {"1", "2", "2"}) version.only({{"v", number}});
  EXPECT_THAT(registry.text(), testing::AllOf(HasSubstr("info{v=\"2\"} 1\n"), Not(HasSubstr("v=\"1\""))));
}

TEST(Metrics, ANameThatIsNoneThrows) {
  Registry registry;
  EXPECT_ANY_THROW((void)registry.counter("no name", ""));
}

TEST(Metrics, ALabelFromOutsideHasFewValuesAndPlainOnes) {
  OpenLabel label(2);
  EXPECT_EQ(label.of("youtube:tab"), "youtube:tab");
  for (const char* value : {"", "a b", "x\n", "\xc3\xa4", "a\"b"}) EXPECT_EQ(label.of(value), "other");
  EXPECT_EQ(label.of(std::string(65, 'a')), "other");
  EXPECT_EQ(label.of("generic"), "generic");
  EXPECT_EQ(label.of("third"), "other");
  EXPECT_EQ(label.of("youtube:tab"), "youtube:tab");
}

TEST(Metrics, TheProcessKnowsItself) {
  Registry registry;
  ProcessFigures process(registry);
  process.refresh();
  process.refresh();
  EXPECT_GT(registry.gauge("process_resident_memory_bytes", "").Value(), 1 << 20);
  EXPECT_GE(registry.gauge("process_open_fds", "").Value(), 3);
  EXPECT_GT(registry.counter("process_cpu_seconds_total", "").Value(), 0);
}

}  // namespace
}  // namespace trawl::metrics
