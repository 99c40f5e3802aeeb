#include "downloads/cron.h"

#include <gtest/gtest.h>

namespace trawl::downloads {
namespace {

SystemTime at(std::string_view text) {
  return parse_iso8601(text).value();
}

struct Next {
  const char *expression, *after, *expected;
};

class CronNext : public testing::TestWithParam<Next> {};

TEST_P(CronNext, IsTheFirstMinuteAfter) {
  const auto cron = Cron::parse(GetParam().expression);
  ASSERT_TRUE(cron) << GetParam().expression << ": " << cron.error().message;
  EXPECT_EQ(to_iso8601(cron->next(at(GetParam().after))), to_iso8601(at(GetParam().expected)))
      << GetParam().expression << " after " << GetParam().after;
}

INSTANTIATE_TEST_SUITE_P(
    Table, CronNext,
    testing::Values(
        Next{"* * * * *", "2026-01-31T23:59:59Z", "2026-02-01T00:00:00Z"},
        Next{"* * * * *", "2026-01-31T12:00:00Z", "2026-01-31T12:01:00Z"},
        Next{"*/15 * * * *", "2026-01-01T10:07:00Z", "2026-01-01T10:15:00Z"},
        Next{"*/15 * * * *", "2026-01-01T10:45:00.001Z", "2026-01-01T11:00:00Z"},
        Next{"5/20 * * * *", "2026-01-01T10:25:00Z", "2026-01-01T10:45:00Z"},
        Next{"7-9,40 3 * * *", "2026-01-01T03:09:30Z", "2026-01-01T03:40:00Z"},
        Next{"10-20/5 3 * * *", "2026-01-01T03:16:00Z", "2026-01-01T03:20:00Z"},
        // Years end, months have their days, and leap years come.
        Next{"0 0 1 1 *", "2026-01-01T00:00:00Z", "2027-01-01T00:00:00Z"},
        Next{"30 23 31 * *", "2026-01-31T23:30:00Z", "2026-03-31T23:30:00Z"},
        Next{"0 12 29 2 *", "2026-01-01T00:00:00Z", "2028-02-29T12:00:00Z"},
        Next{"0 12 29 2 *", "2096-02-29T12:00:00Z", "2104-02-29T12:00:00Z"},
        // UTC: neither the hour that clocks leave out nor the one they repeat (Europe, America) is different.
        Next{"30 2 * * *", "2026-03-28T02:30:00Z", "2026-03-29T02:30:00Z"},
        Next{"30 1 * * *", "2026-10-25T01:30:00Z", "2026-10-26T01:30:00Z"},
        Next{"0 * * * *", "2026-03-29T01:00:00Z", "2026-03-29T02:00:00Z"},
        Next{"30 2 8 3 *", "2026-01-01T00:00:00Z", "2026-03-08T02:30:00Z"},
        // Days of the week; 0 and 7 are Sunday. 2026-01-01 is a Thursday.
        Next{"0 6 * * 0", "2026-01-01T00:00:00Z", "2026-01-04T06:00:00Z"},
        Next{"0 6 * * 7", "2026-01-01T00:00:00Z", "2026-01-04T06:00:00Z"},
        Next{"0 6 * * 5-7", "2026-01-03T07:00:00Z", "2026-01-04T06:00:00Z"},
        Next{"0 6 * * Mon-fri", "2026-01-02T06:00:00Z", "2026-01-05T06:00:00Z"},
        Next{"0 6 * FEB sun", "2026-01-01T00:00:00Z", "2026-02-01T06:00:00Z"},
        // Both days given: one of them suffices. One of them open: the other decides.
        Next{"0 0 13 * 5", "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"},
        Next{"0 0 13 * 5", "2026-01-09T00:00:00Z", "2026-01-13T00:00:00Z"},
        Next{"0 0 */2 * 1", "2026-01-01T00:00:00Z", "2026-01-05T00:00:00Z"},
        Next{"@hourly", "2026-01-01T10:59:59.999Z", "2026-01-01T11:00:00Z"},
        Next{"@Daily", "2026-12-31T00:00:00Z", "2027-01-01T00:00:00Z"},
        Next{"@weekly", "2026-01-01T00:00:00Z", "2026-01-04T00:00:00Z"},
        Next{" 0   4 * * *  ", "2026-01-01T00:00:00Z", "2026-01-01T04:00:00Z"}));

TEST(Cron, RefusesWhatIsNoExpression) {
  for (const char* text : {"",           "* * * *",     "* * * * * *",   "60 * * * *",  "* 24 * * *",
                           "* * 0 * *",  "* * 32 * *",  "* * * 13 *",    "* * * 0 *",   "* * * * 8",
                           "a * * * *",  "1-0 * * * *", "*/0 * * * *",   "*/x * * * *", "1,,2 * * * *",
                           "-1 * * * *", "* * * foo *", "1-2-3 * * * *", "@reboot",     "@",
                           "0 0 30 2 *", "0 0 31 4,6 *"}) {
    EXPECT_FALSE(Cron::parse(text)) << text;
  }
}

TEST(Cron, NeverStandsStill) {
  const auto cron = Cron::parse("17 */5 1-7 * 3");
  SystemTime time = at("2026-01-01T00:00:00Z");
  for (int i = 0; i < 500; ++i) {
    const SystemTime next = cron->next(time);
    ASSERT_GT(next, time);
    time = next;
  }
}

}  // namespace
}  // namespace trawl::downloads
