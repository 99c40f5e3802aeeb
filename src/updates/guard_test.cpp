#include "updates/guard.h"

#include <gtest/gtest.h>

namespace trawl::updates {
namespace {

TEST(Guard, TakesAReleaseBackWhenItFailsMuchMoreOften) {
  struct Case {
    Record now, before;
    bool jumped;
  };
  for (const Case& one :
       {Case{{0, 9}, {100, 0}, false},  // Too few to say.
        Case{{0, 10}, {100, 0}, true}, Case{{7, 3}, {100, 0}, false}, Case{{6, 4}, {100, 0}, true},
        Case{{3, 7}, {50, 50}, false},  // It was bad before.
        Case{{1, 9}, {50, 50}, true}, Case{{6, 6}, {0, 0}, false}, Case{{5, 6}, {3, 0}, true}}) {
    EXPECT_EQ(has_jumped(one.now, one.before), one.jumped) << one.now.completed << "/" << one.now.failed;
  }
}

}  // namespace
}  // namespace trawl::updates
