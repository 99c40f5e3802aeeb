#include "net/upstream.h"

#include <set>

#include <gtest/gtest.h>

namespace trawl::net {
namespace {

using namespace std::chrono_literals;

TEST(Upstream, ReadsRoutes) {
  const auto plain = parse_route("http://proxy.example:3128").value();
  EXPECT_EQ(plain.site, "");
  EXPECT_EQ(plain.upstream->name(), "http://proxy.example:3128");
  EXPECT_TRUE(plain.upstream->remote_dns);
  const auto full = parse_route("*.Example.COM=socks5://us%40er:p%3Ass=w@10.0.0.1").value();
  EXPECT_EQ(full.site, "example.com");
  EXPECT_EQ(full.upstream->user, "us@er");
  EXPECT_EQ(full.upstream->password, "p:ss=w");
  EXPECT_EQ(full.upstream->port, 1080);
  EXPECT_FALSE(full.upstream->remote_dns);
  EXPECT_EQ(parse_route("socks5h://[::1]:9").value().upstream->name(), "socks5h://[::1]:9");
  EXPECT_EQ(parse_route("http://u:a=b@proxy.example/").value().upstream->password, "a=b");
  EXPECT_EQ(parse_route("example.com=direct").value().upstream, nullptr);
}

TEST(Upstream, RefusesARouteWithoutRepeatingItsPassword) {
  for (const auto* text : {"", "proxy:80", "https://u:secret@p:1", "socks4://u:secret@p", "http://u:secret@",
                           "http://u:secret@p:0", "http://:secret@p:1", "a b=http://u:secret@p:1",
                           "http://u:secret@p:1/path", "example.com="}) {
    const auto route = parse_route(text);
    ASSERT_FALSE(route) << text;
    EXPECT_EQ(route.error().message.find("secret"), std::string::npos) << route.error().message;
  }
}

class UpstreamPoolTest : public testing::Test {
 protected:
  static UpstreamPool pool(std::initializer_list<const char*> routes) {
    std::vector<Route> out;
    for (const auto* text : routes) out.push_back(parse_route(text).value());
    return UpstreamPool(std::move(out), 300s);
  }
  static std::string name(const std::shared_ptr<const Upstream>& upstream) {
    return upstream ? upstream->host : "direct";
  }
  UpstreamPool::Time now{std::chrono::hours(1)};
};

TEST_F(UpstreamPoolTest, GoesStraightWithoutRoutes) {
  auto none = pool({});
  EXPECT_EQ(none.choose("example.com", now), nullptr);
  none.rest("example.com", nullptr, now);
  EXPECT_EQ(pool({"other.org=http://a"}).choose("example.com", now), nullptr);
}

TEST_F(UpstreamPoolTest, PrefersTheRoutesOfTheSite) {
  auto p = pool({"http://general", "example.com=http://special", "deep.example.com=direct"});
  EXPECT_EQ(name(p.choose("example.com", now)), "special");
  EXPECT_EQ(name(p.choose("www.example.com", now)), "special");
  EXPECT_EQ(name(p.choose("a.deep.example.com", now)), "direct");
  EXPECT_EQ(name(p.choose("notexample.com", now)), "general");
}

TEST_F(UpstreamPoolTest, KeepsTheWayOfASiteAndSpreadsSites) {
  auto p = pool({"http://a", "http://b", "http://c"});
  std::set<std::string> used;
  for (const auto* site : {"one", "two", "three"}) {
    const auto first = name(p.choose(site, now));
    EXPECT_EQ(name(p.choose(site, now + 1h)), first);
    used.insert(first);
  }
  EXPECT_EQ(used.size(), 3U);
}

TEST_F(UpstreamPoolTest, LeavesAWayThatTheSiteTurnedAwayUntilItHasRested) {
  auto p = pool({"http://a", "http://b"});
  const auto first = p.choose("site", now);
  const auto other = name(first) == "a" ? "b" : "a";
  p.rest("site", first, now);
  EXPECT_EQ(name(p.choose("site", now)), other);
  EXPECT_EQ(name(p.choose("site", now + 299s)), other);
  EXPECT_EQ(name(p.choose("site", now + 301s)), other);  // It stays where it is well.
  p.rest("site", p.choose("site", now + 301s), now + 301s);
  EXPECT_EQ(name(p.choose("site", now + 302s)), name(first));
}

TEST_F(UpstreamPoolTest, TakesTheLongestRestedWayWhenAllRest) {
  auto p = pool({"http://a", "http://b", "http://c"});
  std::vector<std::string> order;
  for (int i = 0; i < 3; ++i) {
    const auto way = p.choose("site", now + std::chrono::seconds(i));
    order.push_back(name(way));
    p.rest("site", way, now + std::chrono::seconds(i));
  }
  EXPECT_EQ(std::set<std::string>(order.begin(), order.end()).size(), 3U);
  EXPECT_EQ(name(p.choose("site", now + 4s)), order.front());
}

TEST_F(UpstreamPoolTest, RestsAPairOfSiteAndWayOnly) {
  auto p = pool({"http://a", "http://b"});
  for (const auto* site : {"one", "two"}) (void)p.choose(site, now);
  const auto two = name(p.choose("two", now));
  p.rest("one", p.choose("one", now), now);
  EXPECT_EQ(name(p.choose("two", now)), two);
}

}  // namespace
}  // namespace trawl::net
