#include <gtest/gtest.h>

#include "engine/engine.h"

namespace trawl::engine {
namespace {

TEST(Impersonate, MatchesATargetByWhatIsAskedForAlone) {
  const std::vector<std::string> targets{"chrome-124:macos-14", "safari-17.0:ios-17.2",
                                         "edge-101:windows-10"};
  for (const auto* wanted :
       {"chrome", "chrome-124", "chrome:macos", "chrome-124:macos-14", "safari:ios", ":windows"})
    EXPECT_TRUE(offers(targets, wanted)) << wanted;
  for (const auto* wanted : {"firefox", "chrome-99", "chrome:windows", "chrom", "safari-17.0:ios-16"})
    EXPECT_FALSE(offers(targets, wanted)) << wanted;
  EXPECT_FALSE(offers({}, "chrome"));
}

}  // namespace
}  // namespace trawl::engine
