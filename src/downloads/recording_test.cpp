#include "downloads/recording.h"

#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

using std::chrono::seconds;

constexpr RecordingLimits kLimits{.length = seconds(100), .silence = seconds(10)};

TEST(Recording, GoesOnWhileThereIsNoReasonToEnd) {
  EXPECT_EQ(why_it_ends({}, kLimits), "");
  EXPECT_EQ(why_it_ends({.length = seconds(99), .silence = seconds(9)}, kLimits), "");
}

TEST(Recording, EndsAsAskedForOrWhenItIsLongOrSilent) {
  EXPECT_EQ(why_it_ends({.asked = true}, kLimits), "as asked for");
  EXPECT_EQ(why_it_ends({.length = seconds(100)}, kLimits), "as it is long enough");
  EXPECT_EQ(why_it_ends({.length = seconds(20), .silence = seconds(10)}, kLimits),
            "as nothing comes any more");
}

}  // namespace
}  // namespace trawl::downloads
