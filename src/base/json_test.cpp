#include "base/json.h"

#include <gtest/gtest.h>

namespace trawl {
namespace {

enum class Colour { red, green };

struct Common {
  int weight = 3;
};
BOOST_DESCRIBE_STRUCT(Common, (), (weight))

struct Thing : Common {
  std::string name;
  Colour colour = Colour::green;
  std::optional<double> ratio;
  std::vector<std::string> tags;
  ByteCount size{7};
};
BOOST_DESCRIBE_STRUCT(Thing, (Common), (name, colour, ratio, tags, size))

}  // namespace

template <>
struct EnumText<Colour> {
  static constexpr std::pair<Colour, std::string_view> names[] = {
      {Colour::red, "red"}, {Colour::green, "green"}, {Colour::red, "rouge"}};
};
template <>
struct Rules<Common> {
  static constexpr FieldRule fields[] = {{.name = "weight", .doc = "How heavy.", .min = 1, .max = 9}};
};
template <>
struct Rules<Thing> {
  static constexpr FieldRule fields[] = {
      {.name = "name", .doc = "What it is called.", .min = 1, .required = true, .alias = "title"},
      {.name = "tags", .doc = "Labels.", .max = 2}};
};

namespace {

std::vector<Problem> problems_of(std::string_view text, DecodeOptions options = {}) {
  const auto thing = decode<Thing>(parse_json(text).value(), options);
  return thing ? std::vector<Problem>{} : thing.error();
}

TEST(Decode, KeepsDefaultsForAbsentMembersAndReadsInheritedOnes) {
  const auto thing =
      decode<Thing>(parse_json(R"({"name":"x","weight":5,"colour":"rouge","size":"2k"})").value());
  ASSERT_TRUE(thing);
  EXPECT_EQ(thing->weight, 5);
  EXPECT_EQ(thing->colour, Colour::red);
  EXPECT_EQ(thing->ratio, std::nullopt);
  EXPECT_EQ(thing->size.value, 2048);
}

TEST(Decode, FindsEveryProblemAndItsPlace) {
  const auto found = problems_of(R"({"weight":10,"tags":["a",1],"colour":"blue","size":7,"extra":null})");
  ASSERT_EQ(found.size(), 5u);
  EXPECT_EQ(found[0], (Problem{{"weight"}, "must be between 1 and 9", "out_of_range"}));
  EXPECT_EQ(found[1], (Problem{{"name"}, "is required", "missing"}));
  EXPECT_EQ(found[2].loc, std::vector<std::string>{"colour"});
  EXPECT_EQ(found[3].loc, (std::vector<std::string>{"tags", "1"}));
  EXPECT_EQ(found[4].type, "unknown_field");
}

TEST(Decode, IgnoresUnknownMembersWhenTold) {
  EXPECT_TRUE(problems_of(R"({"title":"x","extra":1})", {.refuse_unknown = false}).empty());
}

TEST(Decode, TakesTextForNumbersOnlyWhenTold) {
  EXPECT_EQ(problems_of(R"({"name":"x","weight":"5"})").size(), 1u);
  EXPECT_TRUE(problems_of(R"({"name":"x","weight":"5"})", {.text_scalars = true}).empty());
}

TEST(Decode, RefusesNullForAMemberThatIsNotOptional) {
  EXPECT_TRUE(problems_of(R"({"name":"x","ratio":null})").empty());
  EXPECT_EQ(problems_of(R"({"name":null})").size(), 1u);
}

TEST(Encode, RoundTrips) {
  Thing thing;
  thing.name = "caf\xC3\xA9";
  thing.ratio = 0.5;
  thing.tags = {"a"};
  const auto back = decode<Thing>(encode(thing));
  ASSERT_TRUE(back);
  EXPECT_EQ(encode(*back), encode(thing));
}

TEST(Encode, NeverPrintsInvalidUtf8) {
  EXPECT_EQ(encode(std::string("\xFF")), json::value("\xEF\xBF\xBD"));
}

TEST(ParseJson, RefusesWhatIsNotJson) {
  for (const char* bad : {"", "{", "{\"a\":1,}", "nan", "\"\xFF\""}) EXPECT_FALSE(parse_json(bad)) << bad;
  EXPECT_FALSE(parse_json(std::string(100, '[')));
}

}  // namespace
}  // namespace trawl
