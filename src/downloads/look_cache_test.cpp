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
  Event gate(context.get_executor());
  int answered = 0;
  bool open = false;
  for (int i = 0; i < 20; ++i) {
    asio::co_spawn(
        context,
        [&]() -> Task<void> {
          const auto value = co_await cache->get("a", [&]() -> Task<Result<std::string>> {
            ++asked;
            while (!open) co_await gate.wait();
            co_return "1";
          });
          answered += value && **value == "1" ? 1 : 0;
        },
        asio::detached);
  }
  context.poll();
  open = true;
  gate.notify_all();
  context.restart();
  context.run();
  context.restart();
  EXPECT_EQ(asked, 1);
  EXPECT_EQ(answered, 20);
  EXPECT_EQ(get("a", "2"), "2");
  EXPECT_EQ(cache->bytes(), 0u);
}

TEST_F(LookCacheTest, LeavesNobodyWaitingWhenAskingBreaksOff) {
  make({});
  Event gate(context.get_executor());
  bool open = false;
  int failed = 0;
  for (int i = 0; i < 3; ++i) {
    asio::co_spawn(
        context,
        [&]() -> Task<void> {
          try {
            const auto value = co_await cache->get("a", [&]() -> Task<Result<std::string>> {
              while (!open) co_await gate.wait();
              throw std::runtime_error("broken");
            });
            failed += value ? 0 : 1;
          } catch (const std::runtime_error&) {
            ++failed;
          }
        },
        asio::detached);
  }
  context.poll();
  open = true;
  gate.notify_all();
  context.restart();
  context.run();
  EXPECT_EQ(failed, 3);
}

}  // namespace
}  // namespace trawl::downloads
