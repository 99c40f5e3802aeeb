#include "base/schema.h"

#include <stdexcept>

#include <gtest/gtest.h>

namespace trawl::schema_test {

enum class Colour { red, blue };

struct Wheel {
  double radius = 0.5;
};
BOOST_DESCRIBE_STRUCT(Wheel, (), (radius))

struct Car {
  std::string name;
  int doors = 4;
  std::optional<Colour> colour;
  std::vector<Wheel> wheels;
  std::optional<Wheel> spare;
  std::map<std::string, std::int64_t> parts;
  std::optional<SystemTime> built;
};
BOOST_DESCRIBE_STRUCT(Car, (), (name, doors, colour, wheels, spare, parts, built))

std::optional<std::string> check_name(std::string_view) {
  return std::nullopt;
}

namespace other {
struct Wheel {
  int size = 1;
};
BOOST_DESCRIBE_STRUCT(Wheel, (), (size))
}  // namespace other

}  // namespace trawl::schema_test

template <>
struct trawl::EnumText<trawl::schema_test::Colour> {
  using C = trawl::schema_test::Colour;
  static constexpr std::pair<C, std::string_view> names[] = {
      {C::red, "red"}, {C::red, "crimson"}, {C::blue, "blue"}};
};
template <>
struct trawl::Rules<trawl::schema_test::Car> {
  static constexpr FieldRule fields[] = {{.name = "name",
                                          .doc = "What it is called.",
                                          .min = 1,
                                          .max = 20,
                                          .required = true,
                                          .alias = "title",
                                          .example = "\"beetle\"",
                                          .check = schema_test::check_name},
                                         {.name = "doors", .doc = "How many.", .min = 2, .max = 5},
                                         {.name = "wheels", .doc = "All of them.", .max = 8}};
};

namespace trawl::schema_test {
namespace {

json::object component(Schemas& schemas, const char* name) {
  return schemas.components().at(name).as_object();
}

TEST(Schema, SaysOfAnInputWhatTheRulesDemand) {
  Schemas schemas([](Schemas::Check check) -> std::string_view { return check == check_name ? "^x" : ""; });
  EXPECT_EQ(schemas.of<Car>(Schemas::Use::input), parse_json(R"({"$ref":"#/components/schemas/CarInput"})"));
  const json::object car = component(schemas, "CarInput");
  const json::object& members = car.at("properties").as_object();
  EXPECT_EQ(members.at("name"), parse_json(R"({"type":"string","minLength":1,"maxLength":20,"pattern":"^x",
                           "description":"What it is called.","examples":["beetle"]})"));
  EXPECT_EQ(members.at("title").at("description"), "Another spelling of `name`.");
  EXPECT_EQ(members.at("doors"), parse_json(R"({"type":"integer","format":"int32","minimum":2,"maximum":5,
                                                "description":"How many.","default":4})"));
  EXPECT_EQ(members.at("colour"),
            parse_json(R"({"type":["string","null"],"enum":["red","crimson","blue",null]})"));
  EXPECT_EQ(members.at("wheels").at("maxItems"), 8);
  EXPECT_EQ(car.at("allOf"), parse_json(R"([{"anyOf":[{"required":["name"]},{"required":["title"]}]}])"));
  EXPECT_FALSE(car.contains("additionalProperties"));
}

TEST(Schema, SaysOfAnOutputThatEveryMemberIsThereAndNoOther) {
  Schemas schemas;
  (void)schemas.of<Car>(Schemas::Use::output);
  const json::object car = component(schemas, "Car");
  EXPECT_EQ(car.at("required"), parse_json(R"(["name","doors","colour","wheels","spare","parts","built"])"));
  EXPECT_EQ(car.at("additionalProperties"), false);
  const json::object& members = car.at("properties").as_object();
  EXPECT_EQ(members.at("name").as_object().contains("minLength"), false);
  EXPECT_EQ(members.at("colour"), parse_json(R"({"type":["string","null"],"enum":["red","blue",null]})"));
  EXPECT_EQ(members.at("spare"),
            parse_json(R"({"anyOf":[{"$ref":"#/components/schemas/Wheel"},{"type":"null"}]})"));
  EXPECT_EQ(members.at("parts").at("additionalProperties").at("type"), "integer");
  EXPECT_EQ(members.at("built"), parse_json(R"({"type":["string","null"],"format":"date-time"})"));
}

TEST(Schema, TakesTextForParametersThatAreNeverNull) {
  Schemas schemas;
  const json::object members = schemas.properties<Car>(Schemas::Use::parameter);
  EXPECT_EQ(members.at("colour"), parse_json(R"({"type":"string","enum":["red","crimson","blue"]})"));
}

TEST(Schema, RefusesTwoTypesOfOneName) {
  Schemas schemas;
  (void)schemas.of<Wheel>(Schemas::Use::output);
  EXPECT_THROW((void)schemas.of<other::Wheel>(Schemas::Use::output), std::logic_error);
}

}  // namespace
}  // namespace trawl::schema_test
