#include "http/range.h"

#include <gtest/gtest.h>

namespace trawl::http {
namespace {

constexpr RangeAnswer kWhole{};
constexpr RangeAnswer kBehind{.kind = RangeAnswer::Kind::unsatisfiable};
constexpr RangeAnswer part(std::uint64_t first, std::uint64_t last) {
  return {RangeAnswer::Kind::part, first, last};
}

struct RangeCase {
  const char* field;
  std::uint64_t size;
  RangeAnswer answer;
};
std::ostream& operator<<(std::ostream& out, const RangeCase& c) {
  return out << '"' << c.field << "\" of " << c.size;
}

class Range : public ::testing::TestWithParam<RangeCase> {};

TEST_P(Range, IsAnsweredByRfc9110) {
  const RangeAnswer answer = answer_range(GetParam().field, GetParam().size);
  EXPECT_EQ(answer.kind, GetParam().answer.kind);
  EXPECT_EQ(answer.first, GetParam().answer.first);
  EXPECT_EQ(answer.last, GetParam().answer.last);
}

constexpr RangeCase kCases[] = {
    // From and to.
    {"bytes=0-499", 1000, part(0, 499)},
    {"bytes=500-999", 1000, part(500, 999)},
    {"bytes=0-0", 1000, part(0, 0)},
    {"bytes=999-999", 1000, part(999, 999)},
    {"bytes=0-999", 1000, part(0, 999)},
    {"bytes=0-1000", 1000, part(0, 999)},
    {"bytes=500-99999", 1000, part(500, 999)},
    {"bytes=007-0010", 1000, part(7, 10)},
    {"bytes=0-99999999999999999999999", 1000, part(0, 999)},
    {"bytes=0-18446744073709551615", 1000, part(0, 999)},
    {"bytes=4294967296-4294967297", 8589934592, part(4294967296, 4294967297)},
    // Open end.
    {"bytes=0-", 1000, part(0, 999)},
    {"bytes=999-", 1000, part(999, 999)},
    {"bytes=9223372036854775807-", 9223372036854775808u, part(9223372036854775807u, 9223372036854775807u)},
    // The last bytes.
    {"bytes=-1", 1000, part(999, 999)},
    {"bytes=-500", 1000, part(500, 999)},
    {"bytes=-1000", 1000, part(0, 999)},
    {"bytes=-1001", 1000, part(0, 999)},
    {"bytes=-99999999999999999999999", 1000, part(0, 999)},
    // Behind the end.
    {"bytes=1000-", 1000, kBehind},
    {"bytes=1000-1001", 1000, kBehind},
    {"bytes=99999999999999999999999-", 1000, kBehind},
    {"bytes=99999999999999999999998-99999999999999999999999", 1000, kBehind},
    {"bytes=-0", 1000, kBehind},
    {"bytes=0-", 0, kBehind},
    {"bytes=0-0", 0, kBehind},
    {"bytes=-0", 0, kBehind},
    {"bytes=-5", 0, kWhole},
    // Spaces, case and empty list elements.
    {"Bytes=0-4", 1000, part(0, 4)},
    {"bytes= 0-4 ", 1000, part(0, 4)},
    {"bytes =0-4", 1000, part(0, 4)},
    {"bytes=,0-4", 1000, part(0, 4)},
    {"bytes=0-4, ,", 1000, part(0, 4)},
    // Several ranges.
    {"bytes=0-4,10-14", 1000, kWhole},
    {"bytes=0-,-1", 1000, kWhole},
    {"bytes=0-4, 2000-", 1000, kWhole},
    {"bytes=2000-,3000-", 1000, kWhole},
    // Not a range.
    {"", 1000, kWhole},
    {"bytes", 1000, kWhole},
    {"bytes=", 1000, kWhole},
    {"bytes=,", 1000, kWhole},
    {"bytes=-", 1000, kWhole},
    {"bytes=--1", 1000, kWhole},
    {"bytes=1", 1000, kWhole},
    {"bytes=5-4", 1000, kWhole},
    {"bytes=99999999999999999999999-5", 1000, kWhole},
    {"bytes=1-2-3", 1000, kWhole},
    {"bytes=+1-5", 1000, kWhole},
    {"bytes=0x1-0x5", 1000, kWhole},
    {"bytes=1.0-5", 1000, kWhole},
    {"bytes=a-b", 1000, kWhole},
    {"bytes=0 -4", 1000, kWhole},
    {"bytes=0- 4", 1000, kWhole},
    {"bytes 0-4", 1000, kWhole},
    {"bytes:0-4", 1000, kWhole},
    {"items=0-4", 1000, kWhole},
    {"=0-4", 1000, kWhole},
    {"bytes=0-4=", 1000, kWhole},
};

INSTANTIATE_TEST_SUITE_P(Fields, Range, ::testing::ValuesIn(kCases));

}  // namespace
}  // namespace trawl::http
