#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include <boost/describe.hpp>

namespace trawl {

// "Say it once": a struct is described with BOOST_DESCRIBE_STRUCT for its members and with a
// `Rules` specialisation for everything else. JSON in and out, validation, OpenAPI, command-line
// flags and configuration files are all read off these two.
struct FieldRule {
  std::string_view name;                     // The member's name.
  std::string_view doc;                      // One sentence for people, shown in OpenAPI, --help and config.
  std::optional<double> min = {}, max = {};  // Inclusive; a length for text, a count for arrays.
  bool required = false;          // Must be given; otherwise the member's initial value is the default.
  bool secret = false;            // Masked wherever it is printed.
  std::string_view alias = {};    // A second spelling accepted on input.
  std::string_view example = {};  // As JSON text.
  // Looks at decoded text and says what is wrong with it, or nothing.
  std::optional<std::string> (*check)(std::string_view text) = nullptr;
};

// Specialise for a described struct:
//   template <> struct Rules<Point> { static constexpr FieldRule fields[] = {{.name = "x", ...}}; };
template <class T>
struct Rules {
  static constexpr std::span<const FieldRule> fields{};
};

template <class T>
concept Described = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
using Members =
    boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

// The rule of a member, looked up in T and then in its described bases; a bare rule if there is none.
template <Described T>
constexpr FieldRule rule_of(std::string_view name) {
  for (const FieldRule& rule : std::span<const FieldRule>(Rules<T>::fields)) {
    if (rule.name == name) return rule;
  }
  FieldRule found{.name = name, .doc = {}};
  boost::mp11::mp_for_each<boost::describe::describe_bases<T, boost::describe::mod_public>>([&](auto base) {
    const FieldRule rule = rule_of<typename decltype(base)::type>(name);
    if (!rule.doc.empty()) found = rule;
  });
  return found;
}

// Enums travel as text. Specialise with every spelling; the first one of a value is canonical:
//   template <> struct EnumText<Colour> { static constexpr std::pair<Colour, std::string_view> names[] =
//   {...}; };
template <class E>
struct EnumText;

template <class E>
concept TextEnum = std::is_enum_v<E> && requires { EnumText<E>::names; };

template <TextEnum E>
constexpr std::string_view to_text(E value) {
  for (const auto& [known, name] : EnumText<E>::names) {
    if (known == value) return name;
  }
  return "?";
}

template <TextEnum E>
constexpr std::optional<E> parse_enum(std::string_view text) {
  for (const auto& [value, name] : EnumText<E>::names) {
    if (name == text) return value;
  }
  return std::nullopt;
}

}  // namespace trawl
