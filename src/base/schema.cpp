#include "base/schema.h"

#include <stdexcept>

#include <fmt/format.h>

namespace trawl {
namespace {

// Whole numbers are written as such: a length of 1.0 looks odd to people.
json::value plain(double number) {
  const auto whole = static_cast<std::int64_t>(number);
  return static_cast<double>(whole) == number ? json::value(whole) : json::value(number);
}

void bound(json::object& schema, const FieldRule& rule, std::string_view min, std::string_view max) {
  if (rule.min) schema[min] = plain(*rule.min);
  if (rule.max) schema[max] = plain(*rule.max);
}

}  // namespace

json::object Schemas::number(std::string_view type, std::string_view format, Use use, const FieldRule& rule) {
  json::object schema{{"type", type}, {"format", format}};
  if (use != Use::output) bound(schema, rule, "minimum", "maximum");
  return schema;
}

json::object Schemas::text(Use use, const FieldRule& rule) const {
  json::object schema{{"type", "string"}};
  if (use == Use::output) return schema;
  bound(schema, rule, "minLength", "maxLength");
  if (rule.check && pattern_of_) {
    if (const auto pattern = pattern_of_(rule.check); !pattern.empty()) schema["pattern"] = pattern;
  }
  return schema;
}

json::object Schemas::enumeration(std::vector<std::string_view> spellings) {
  json::array values;
  for (const auto spelling : spellings) values.push_back(json::string(spelling));
  return {{"type", "string"}, {"enum", std::move(values)}};
}

json::object Schemas::array(json::object items, Use use, const FieldRule& rule) {
  json::object schema{{"type", "array"}, {"items", std::move(items)}};
  if (use != Use::output) bound(schema, rule, "minItems", "maxItems");
  return schema;
}

json::object Schemas::nullable(json::object schema) {
  if (json::value* type = schema.if_contains("type"); type && type->is_string()) {
    const json::string name = type->get_string();
    *type = json::array{name, "null"};
    if (json::value* values = schema.if_contains("enum")) values->as_array().push_back(nullptr);
    return schema;
  }
  if (schema.empty()) return schema;
  return {{"anyOf", {std::move(schema), {{"type", "null"}}}}};
}

void Schemas::annotate(json::object& schema, const FieldRule& rule, Use use, json::value initial) {
  if (!rule.doc.empty()) schema["description"] = rule.doc;
  if (use == Use::output) return;
  if (rule.secret) schema["writeOnly"] = true;
  if (!rule.example.empty()) {
    const auto example = parse_json(rule.example);
    if (!example) throw std::logic_error(fmt::format("the example of '{}' is not JSON", rule.name));
    schema["examples"] = json::array{*example};
  }
  if (!initial.is_null() && initial != json::value("")) schema["default"] = std::move(initial);
}

json::object Schemas::alias_of(json::object schema, std::string_view name) {
  schema.erase("default");
  schema["description"] = fmt::format("Another spelling of `{}`.", name);
  return schema;
}

std::string Schemas::claim(std::string type, Use use) {
  std::string name = type.substr(type.rfind(':') == std::string::npos ? 0 : type.rfind(':') + 1);
  if (use == Use::input && !name.ends_with("Request") && !name.ends_with("Body")) name += "Input";
  const auto [known, fresh] = claimed_.emplace(name, type);
  if (!fresh && known->second != type)
    throw std::logic_error(fmt::format("{} and {} would both be the schema '{}'", known->second, type, name));
  return name;
}

}  // namespace trawl
