#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/sha256.h"
#include "base/text.h"
#include "base/unicode.h"

namespace trawl {
namespace {

TEST(Uuid, SortsByTheTimeItWasMadeEvenWithinOneMillisecond) {
  const SystemTime now{Millis{1'700'000'000'000}};
  Uuid last = Uuid::make(now);
  for (int i = 0; i < 10'000; ++i) {
    const Uuid next = Uuid::make(now);
    ASSERT_LT(last, next);
    ASSERT_LT(last.str(), next.str());
    last = next;
  }
}

TEST(Uuid, CarriesVersionAndVariantOfRfc9562) {
  const std::string text = Uuid::make(SystemClock().now()).str();
  EXPECT_EQ(text[14], '7');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
}

TEST(Uuid, ReadsBackWhatItPrintsAndRefusesAnythingElse) {
  const Uuid id = Uuid::make(SystemClock().now());
  EXPECT_EQ(Uuid::parse(id.str()), id);
  for (const char* bad :
       {"", "x", "00000000-0000-0000-0000-00000000000g", "00000000000000000000000000000000000000"}) {
    EXPECT_FALSE(Uuid::parse(bad)) << bad;
  }
}

TEST(Time, RoundTripsThroughIso8601) {
  const SystemTime time{Millis{1'769'904'000'123}};
  EXPECT_EQ(parse_iso8601(to_iso8601(time)), time);
  EXPECT_EQ(to_iso8601(SystemTime{Millis{0}}), "1970-01-01T00:00:00.000Z");
}

TEST(Time, UnderstandsOffsetsAndMissingFractions) {
  EXPECT_EQ(parse_iso8601("1970-01-01T01:00:00+01:00"), SystemTime{Millis{0}});
  EXPECT_EQ(parse_iso8601("1970-01-01T00:00:00Z"), SystemTime{Millis{0}});
  for (const char* bad :
       {"", "yesterday", "1970-13-01T00:00:00Z", "1970-01-01T00:00:00", "1970-02-30T00:00:00Z"}) {
    EXPECT_FALSE(parse_iso8601(bad)) << bad;
  }
}

TEST(Bytes, ReadsUnitsAsPowersOf1024) {
  EXPECT_EQ(parse_bytes("1048576")->value, 1048576);
  EXPECT_EQ(parse_bytes("10GiB")->value, 10LL << 30);
  EXPECT_EQ(parse_bytes("1.5 m")->value, 3 << 19);
  for (const char* bad : {"", "-1", "ten", "1x", "1kk"}) EXPECT_FALSE(parse_bytes(bad)) << bad;
}

TEST(Text, ReplacesBytesThatAreNotUtf8) {
  EXPECT_EQ(to_valid_utf8("plain \xC3\xA9"), "plain \xC3\xA9");
  EXPECT_EQ(to_valid_utf8("\xFF"), "\xEF\xBF\xBD");
  EXPECT_EQ(to_valid_utf8("\xED\xA0\x80").size(), 9u);  // A surrogate is three wrong bytes.
}

TEST(Text, TruncatesBetweenCharacters) {
  EXPECT_EQ(truncate_utf8("a\xC3\xA9", 2), "a");
}

TEST(Text, PercentCodingRoundTrips) {
  const std::string text = "a b/\xC3\xA9%?";
  EXPECT_EQ(percent_decode(percent_encode(text)), text);
  EXPECT_EQ(percent_decode("%zz%4"), "%zz%4");
}

TEST(Sha256, GoesOnFromAStateThatWasKept) {
  const std::string text(1000, 'x');
  Sha256 first;
  first.update(std::string_view(text).substr(0, 640));
  auto second = Sha256::resume(first.state(), 640);
  ASSERT_TRUE(second);
  second->update(std::string_view(text).substr(640));
  EXPECT_EQ(second->finish(), sha256_hex(text));
  EXPECT_FALSE(Sha256::resume(first.state(), 641));
  EXPECT_FALSE(Sha256::resume("0123", 640));
  EXPECT_FALSE(Sha256::resume(std::string(64, 'g'), 640));
}

TEST(Unicode, NothingMovesTheCursorOrReordersWhatIsRead) {
  EXPECT_EQ(without_controls("exe\u202egpj\u2066.mp4", "_"), "exegpj.mp4");
  EXPECT_EQ(without_controls("a\u009bb\u2028c\nd\x7f", "_"), "a_b_c_d_");
  EXPECT_EQ(without_controls("日本 \U0001f600\xff", "_"), "日本 \U0001f600\uFFFD");
}

TEST(Sha256, MatchesTheStandardsVector) {
  EXPECT_EQ(sha256_hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

}  // namespace
}  // namespace trawl
