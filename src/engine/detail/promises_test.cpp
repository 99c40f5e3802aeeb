#include "engine/detail/promises.h"

#include <gtest/gtest.h>

namespace trawl::engine {
namespace {

Promise segmented(std::string name, std::vector<std::string> urls, bool more = false) {
  Promise out{.part = {.name = std::move(name)}, .more = more};
  for (auto& url : urls) out.part.segments.push_back({.url = std::move(url)});
  return out;
}

Promise direct(std::string name) {
  return {.part = {.name = std::move(name), .url = "http://x/"}};
}

TEST(Promises, PutsAPartTogetherFromItsMessages) {
  Promises promises;
  ASSERT_TRUE(promises.add(segmented("a", {"1", "2"}, true)));
  EXPECT_FALSE(promises.close());
  ASSERT_TRUE(promises.add(segmented("a", {"3"})));
  ASSERT_TRUE(promises.add(direct("b")));
  EXPECT_FALSE(promises.complete());
  ASSERT_TRUE(promises.close());
  EXPECT_TRUE(promises.complete());
  const auto parts = promises.take();
  ASSERT_EQ(parts.size(), 2u);
  ASSERT_EQ(parts[0].segments.size(), 3u);
  EXPECT_EQ(parts[0].segments[2].url, "3");
  EXPECT_EQ(parts[1].name, "b");
  EXPECT_FALSE(promises.complete());
  EXPECT_TRUE(promises.pending());
  promises.settle();
  EXPECT_FALSE(promises.pending());
}

TEST(Promises, RefusesWhatIsNoFileOfTheWorkFolder) {
  for (const std::string name : {"", ".", "..", "../a", "/etc/passwd", "a/b"}) {
    EXPECT_FALSE(Promises().add(direct(name))) << name;
  }
  EXPECT_FALSE(Promises().add(direct(std::string("a\0b", 3))));
}

TEST(Promises, RefusesAPartWithNoWayToItOrTwo) {
  EXPECT_FALSE(Promises().add(segmented("a", {})));
  Promise both = direct("a");
  both.part.segments.push_back({.url = "1"});
  EXPECT_FALSE(Promises().add(both));
}

TEST(Promises, RefusesAnotherPartBeforeTheLastIsWholeAndTheSameTwice) {
  Promises promises;
  ASSERT_TRUE(promises.add(segmented("a", {"1"}, true)));
  EXPECT_FALSE(promises.add(direct("b")));
  Promises twice;
  ASSERT_TRUE(twice.add(direct("a")));
  EXPECT_FALSE(twice.add(direct("a")));
}

TEST(Promises, EndOnceAndNotEmpty) {
  Promises promises;
  EXPECT_FALSE(promises.close());
  ASSERT_TRUE(promises.add(direct("a")));
  ASSERT_TRUE(promises.close());
  EXPECT_EQ(promises.take().size(), 1u);
  EXPECT_FALSE(promises.close());
  EXPECT_FALSE(promises.add(direct("b")));
}

TEST(Promises, AreBounded) {
  Promises promises;
  const auto large = segmented("a", {std::string(10 << 20, 'x')}, true);
  for (int i = 0; i < 25; ++i) ASSERT_TRUE(promises.add(large));
  EXPECT_FALSE(promises.add(large));
}

}  // namespace
}  // namespace trawl::engine
