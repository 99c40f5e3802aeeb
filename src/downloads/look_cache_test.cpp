#include "downloads/look_cache.h"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

using namespace std::chrono_literals;

class LookCacheTest : public ::testing::Test {
 protected:
  // What `get` gives for `key`, where asking would give `answer`; "" for an error.
  std::string get(const std::string& key, Result<std::string> answer) {
    std::string out;
    asio::co_spawn(
        context,
        [&]() -> Task<void> {
          const auto value = co_await cache->get(key, [&]() -> Task<Result<std::string>> {
            ++asked;
            co_return answer;
          });
          if (value) out = **value;
        },
        asio::detached);
    context.run();
    context.restart();
    return out;
  }
  // How `count` who ask for "a" at a time are answered, in their order: the site answers with `answer` when
  // all of them have asked.
  std::vector<std::string> together(int count, const std::function<std::string()>& answer) {
    Event all_asked(context.get_executor());
    std::vector<std::string> told(static_cast<std::size_t>(count));
    for (std::string& mine : told) {
      asio::co_spawn(
          context,
          [&]() -> Task<void> {
            try {
              const auto value = co_await cache->get("a", [&]() -> Task<Result<std::string>> {
                ++asked;
                co_await all_asked.wait();
                co_return answer();
              });
              mine = value ? **value : "failed";
            } catch (const std::runtime_error&) {
              mine = "thrown";
            }
          },
          asio::detached);
    }
    context.poll();
    all_asked.notify_all();
    context.restart();
    context.run();
    context.restart();
    return told;
  }
  void make(LookCache::Limits limits) {
    cache.emplace(context.get_executor(), limits, [this] { return now; });
  }

  asio::io_context context;
  LookCache::Time now{};
  std::optional<LookCache> cache;
  int asked = 0;
};

TEST_F(LookCacheTest, RemembersForAWhile) {
  make({.keep = 10s});
  EXPECT_EQ(get("a", "1"), "1");
  now += 9s;
  EXPECT_EQ(get("a", "2"), "1");
  EXPECT_EQ(get("b", "3"), "3");
  now += 1s;
  EXPECT_EQ(get("a", "2"), "2");
  EXPECT_EQ(asked, 3);
}

TEST_F(LookCacheTest, RemembersErrorsBrieflyAndPassingOnesNotAtAll) {
  make({.keep = 100s, .keep_errors = 5s});
  get("a", fail(Errc::unsupported, "no"));
  EXPECT_EQ(get("a", "1"), "");
  now += 5s;
  EXPECT_EQ(get("a", "1"), "1");
  get("b", fail(Errc::unavailable, "not now"));
  EXPECT_EQ(get("b", "2"), "2");
}

TEST_F(LookCacheTest, IsBoundedByBytesAndForgetsWhatWasUsedLongestAgo) {
  make({.keep = 100s, .bytes = 3500});
  const std::string big(1000, 'x');
  get("a", big), get("b", big), get("a", "again"), get("c", big), get("d", big);
  EXPECT_LE(cache->bytes(), 3500u);
  EXPECT_EQ(get("b", "asked"), "asked");
  EXPECT_EQ(get("e", std::string(5000, 'y')).size(), 5000u);
  EXPECT_LE(cache->bytes(), 3500u);
}

TEST_F(LookCacheTest, AsksOnceForAllWhoAskTogetherAlsoWhenNothingIsKept) {
  make({.keep = 0s});
  EXPECT_EQ(together(20, [] { return "1"; }), std::vector<std::string>(20, "1"));
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(get("a", "2"), "2");
  EXPECT_EQ(cache->bytes(), 0u);
}

TEST_F(LookCacheTest, LeavesNobodyWaitingWhenAskingBreaksOff) {
  make({});
  const auto broken = [] -> std::string { throw std::runtime_error("broken"); };
  EXPECT_EQ(together(3, broken), (std::vector<std::string>{"thrown", "failed", "failed"}));
  EXPECT_EQ(asked, 1);
}

}  // namespace
}  // namespace trawl::downloads
