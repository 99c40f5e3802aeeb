#pragma once

#include <set>
#include <string>
#include <string_view>

#include <boost/core/type_name.hpp>

#include "base/json.h"

namespace trawl {

// One document of a type, for people who read the API's description. Specialise it for every struct that a
// route takes or gives, with `static json::value make();`. Of an answer it is `encode()` of a filled
// struct, of a body what a client would send. A test holds each against the schema of its type.
template <class T>
struct Example;

// JSON Schema (2020-12, the dialect of OpenAPI 3.1) read off the same descriptions that decode() and encode()
// follow. Described structs become named components, everything else is written where it is used.
class Schemas {
 public:
  enum class Use {
    input,     // What decode() accepts: rules apply, members with a default may be absent.
    output,    // What encode() writes: every member is there, and no other.
    parameter  // Text in a query, read by decode() with `text_scalars`.
  };

  // The regular expression that texts a rule's check accepts match; empty when none says it.
  using Check = decltype(FieldRule::check);
  using PatternOf = std::string_view (*)(Check);

  explicit Schemas(PatternOf pattern_of = nullptr) : pattern_of_(pattern_of) {}

  template <class T>
  [[nodiscard]] json::object of(Use use) {
    return write<T>(use, FieldRule{.name = "", .doc = ""});
  }

  // The members of T, as `use` has them, each with its documentation.
  template <Described T>
  [[nodiscard]] json::object properties(Use use) {
    json::object out;
    const T initial{};
    boost::mp11::mp_for_each<Members<T>>([&](auto member) {
      const FieldRule rule = rule_of<T>(member.name);
      using Member = std::remove_cvref_t<decltype(initial.*member.pointer)>;
      json::object schema = write<Member>(use, rule);
      const bool has_default = use != Use::output && !rule.required;
      annotate(schema, rule, use, has_default ? encode(initial.*member.pointer) : json::value());
      out[rule.name] = schema;
      if (use != Use::output && !rule.alias.empty()) out[rule.alias] = alias_of(std::move(schema), rule.name);
    });
    return out;
  }

  // The components that were used so far, by name.
  [[nodiscard]] const json::object& components() const { return components_; }

 private:
  template <class T>
  static constexpr bool kOptional = false;
  template <class T>
  static constexpr bool kOptional<std::optional<T>> = true;
  template <class T>
  static constexpr bool kVector = false;
  template <class T>
  static constexpr bool kVector<std::vector<T>> = true;
  template <class T>
  static constexpr bool kMap = false;
  template <class T>
  static constexpr bool kMap<std::map<std::string, T>> = true;
  template <class T>
  static constexpr bool kId = false;
  template <class Tag>
  static constexpr bool kId<Id<Tag>> = true;

  template <class T>
  json::object write(Use use, const FieldRule& rule);
  template <Described T>
  json::object component(Use use);

  static json::object number(std::string_view type, std::string_view format, Use use, const FieldRule& rule);
  json::object text(Use use, const FieldRule& rule) const;
  static json::object enumeration(std::vector<std::string_view> spellings);
  static json::object array(json::object items, Use use, const FieldRule& rule);
  static json::object nullable(json::object schema);
  static void annotate(json::object& schema, const FieldRule& rule, Use use, json::value initial);
  static json::object alias_of(json::object schema, std::string_view name);
  // The component's name: the type's without its namespaces, marked when input and output could share it.
  // Two types of one name are a bug: std::logic_error.
  std::string claim(std::string type, Use use);

  PatternOf pattern_of_;
  json::object components_;
  std::map<std::string, std::string> claimed_;  // Names of components and their types in full.
};

template <class T>
json::object Schemas::write(Use use, const FieldRule& rule) {
  if constexpr (std::is_same_v<T, bool>) {
    return {{"type", "boolean"}};
  } else if constexpr (std::is_same_v<T, int>) {
    return number("integer", "int32", use, rule);
  } else if constexpr (std::is_same_v<T, std::int64_t>) {
    return number("integer", "int64", use, rule);
  } else if constexpr (std::is_same_v<T, double>) {
    return number("number", "double", use, rule);
  } else if constexpr (std::is_same_v<T, ByteCount>) {
    return number("integer", "int64", use, rule);
  } else if constexpr (std::is_same_v<T, std::string>) {
    return text(use, rule);
  } else if constexpr (std::is_same_v<T, SystemTime>) {
    return {{"type", "string"}, {"format", "date-time"}};
  } else if constexpr (kId<T>) {
    return {{"type", "string"}, {"format", "uuid"}};
  } else if constexpr (TextEnum<T>) {
    std::vector<std::string_view> spellings;
    for (const auto& [value, name] : EnumText<T>::names) {
      if (use != Use::output || to_text(value) == name) spellings.push_back(name);
    }
    return enumeration(std::move(spellings));
  } else if constexpr (kOptional<T>) {
    json::object inner = write<typename T::value_type>(use, rule);
    return use == Use::parameter ? inner : nullable(std::move(inner));
  } else if constexpr (kVector<T>) {
    FieldRule item = rule;
    item.min = item.max = std::nullopt;
    return array(write<typename T::value_type>(use, item), use, rule);
  } else if constexpr (kMap<T>) {
    return {{"type", "object"}, {"additionalProperties", write<typename T::mapped_type>(use, rule)}};
  } else if constexpr (std::is_same_v<T, json::object>) {
    return {{"type", "object"}};
  } else if constexpr (std::is_same_v<T, json::value>) {
    return {};
  } else {
    return component<T>(use);
  }
}

template <Described T>
json::object Schemas::component(Use use) {
  const std::string name = claim(boost::core::type_name<T>(), use);
  json::object reference{{"$ref", "#/components/schemas/" + name}};
  if (components_.contains(name)) return reference;
  components_[name] = nullptr;  // Holds the place while members are written.
  json::array required, choices;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    const FieldRule rule = rule_of<T>(member.name);
    if (use == Use::output || (rule.required && rule.alias.empty()))
      required.push_back(json::string(rule.name));
    else if (rule.required)
      choices.push_back({{"anyOf",
                          {{{"required", json::array{json::string(rule.name)}}},
                           {{"required", json::array{json::string(rule.alias)}}}}}});
  });
  json::object schema{{"type", "object"}, {"properties", properties<T>(use)}};
  if (!required.empty()) schema["required"] = std::move(required);
  if (!choices.empty()) schema["allOf"] = std::move(choices);
  if (use == Use::output) schema["additionalProperties"] = false;
  components_[name] = std::move(schema);
  return reference;
}

}  // namespace trawl
