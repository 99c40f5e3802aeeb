#include "access/limits.h"

#include <gtest/gtest.h>

namespace trawl::access {
namespace {

using namespace std::chrono_literals;

LimitRules rules() {
  LimitRules out;
  out.address = {{60, 1min}, {1000, 1h}};
  out.levels[static_cast<std::size_t>(Level::download)] = {{10, 1min}};
  out.anonymous = {{5, 1min}};
  out.routes["download"] = {{2, 1s}, {10, 1min}};
  return out;
}

std::vector<std::string> names(const std::vector<Meter>& meters) {
  std::vector<std::string> out;
  for (const Meter& meter : meters) out.push_back(meter.name);
  return out;
}

TEST(Limits, OfAnAddressHaveOneCounterForEachPeriod) {
  EXPECT_EQ(names(address_meters(rules(), "192.0.2.1")),
            (std::vector<std::string>{"ip:192.0.2.1/60", "ip:192.0.2.1/3600"}));
}

TEST(Limits, OfAKeyAreThoseOfItsLevelUnlessItHasItsOwn) {
  Identity identity{.caller = {.key = "Ab12Cd34"}, .level = Level::download, .limits = {}};
  const auto of_level = caller_meters(rules(), Mode::required, identity, "192.0.2.1", "");
  EXPECT_EQ(of_level, (std::vector<Meter>{{"key:Ab12Cd34/60", {10, 1min}}}));
  identity.limits.requests_per_minute = 500;
  const auto own = caller_meters(rules(), Mode::required, identity, "192.0.2.1", "download");
  EXPECT_EQ(own, (std::vector<Meter>{{"key:Ab12Cd34/60", {500, 1min}},
                                     {"route:download:key:Ab12Cd34/1", {2, 1s}},
                                     {"route:download:key:Ab12Cd34/60", {10, 1min}}}));
}

TEST(Limits, OfNobodyAreCountedByAddress) {
  const Identity nobody;
  EXPECT_EQ(names(caller_meters(rules(), Mode::optional, nobody, "192.0.2.1", "download")),
            (std::vector<std::string>{"anonymous:ip:192.0.2.1/60", "route:download:ip:192.0.2.1/1",
                                      "route:download:ip:192.0.2.1/60"}));
  const Identity everybody{
      .caller = {.level = "full_access", .sees_all = true}, .level = Level::full_access, .limits = {}};
  EXPECT_TRUE(caller_meters(rules(), Mode::off, everybody, "192.0.2.1", "").empty());
}

TEST(Limits, AreToldInBothFamiliesOfHeaders) {
  RateVerdict verdict{.allowed = false, .meter = Meter{"x", {10, 1min}}, .decision = {}};
  verdict.decision.retry_after = 1200ms;
  verdict.decision.reset_after = 59'900ms;
  const auto headers = rate_headers(verdict, SystemTime{Millis{1'000'500}});
  for (const auto& [name, value] : {std::pair{"RateLimit-Limit", "10"},
                                    {"RateLimit-Remaining", "0"},
                                    {"RateLimit-Reset", "60"},
                                    {"RateLimit-Policy", "10;w=60"},
                                    {"X-RateLimit-Limit", "10"},
                                    {"X-RateLimit-Remaining", "0"},
                                    {"X-RateLimit-Reset", "1060"},
                                    {"Retry-After", "2"}})
    EXPECT_EQ(headers.find(name), value) << name;
  verdict.allowed = true;
  EXPECT_FALSE(rate_headers(verdict, SystemTime{}).find("Retry-After"));
  EXPECT_TRUE(rate_headers({}, SystemTime{}).all().empty());
}

}  // namespace
}  // namespace trawl::access
