#pragma once

#include <charconv>
#include <cmath>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/json.hpp>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/describe.h"
#include "base/id.h"
#include "base/result.h"
#include "base/text.h"

namespace trawl {

namespace json = boost::json;

// One thing wrong with a document, in the shape of the API's 422 answers.
struct Problem {
  std::vector<std::string> loc;  // Where: member names and array indexes from the root.
  std::string msg;               // For people.
  std::string type;              // For programs: "missing", "unknown_field", "out_of_range", ...
  friend bool operator==(const Problem&, const Problem&) = default;
};
BOOST_DESCRIBE_STRUCT(Problem, (), (loc, msg, type))

struct DecodeOptions {
  bool refuse_unknown = true;  // Unknown members are problems; otherwise they are ignored.
  bool text_scalars = false;   // "8080" and "true" are accepted for numbers and booleans (env, flags).
};

// Parses text that came from outside: strict JSON, valid UTF-8, at most 32 levels deep.
[[nodiscard]] Result<json::value> parse_json(std::string_view text);

// Collects what is wrong while a document is decoded.
class Decoder {
 public:
  explicit Decoder(DecodeOptions how) : options(how) {}

  void problem(std::string msg, std::string_view type) {
    problems.push_back({path, std::move(msg), std::string(type)});
  }
  // Checks a number, length or count against the rule's range; says so if it lies outside.
  void check_range(const FieldRule& rule, double value, std::string_view what);

  DecodeOptions options;
  std::vector<std::string> path;
  std::vector<Problem> problems;
};

namespace detail {

void read(Decoder& d, const json::value& v, const FieldRule& rule, bool& out);
void read(Decoder& d, const json::value& v, const FieldRule& rule, std::int64_t& out);
void read(Decoder& d, const json::value& v, const FieldRule& rule, double& out);
void read(Decoder& d, const json::value& v, const FieldRule& rule, std::string& out);
void read(Decoder& d, const json::value& v, const FieldRule& rule, SystemTime& out);
void read(Decoder& d, const json::value& v, const FieldRule& rule, ByteCount& out);
inline void read(Decoder&, const json::value& v, const FieldRule&, json::value& out) {
  out = v;
}
void read(Decoder& d, const json::value& v, const FieldRule& rule, json::object& out);
void report_enum(Decoder& d, std::span<const std::string_view> allowed);

inline void read(Decoder& d, const json::value& v, const FieldRule& rule, int& out) {
  std::int64_t wide = out;
  const std::size_t before = d.problems.size();
  read(d, v, rule, wide);
  if (d.problems.size() != before) return;
  if (wide < INT32_MIN || wide > INT32_MAX) return d.problem("is too large", "out_of_range");
  out = static_cast<int>(wide);
}

template <class Tag>
void read(Decoder& d, const json::value& v, const FieldRule&, Id<Tag>& out) {
  const auto* text = v.if_string();
  auto id = text ? Id<Tag>::parse(*text) : Result<Id<Tag>>(fail(Errc::invalid, ""));
  if (!id) return d.problem("must be a UUID", "invalid_id");
  out = *id;
}

template <TextEnum E>
void read(Decoder& d, const json::value& v, const FieldRule&, E& out) {
  const auto* text = v.if_string();
  if (const auto value = text ? parse_enum<E>(*text) : std::nullopt) {
    out = *value;
    return;
  }
  std::vector<std::string_view> allowed;
  for (const auto& [value, name] : EnumText<E>::names) allowed.push_back(name);
  report_enum(d, allowed);
}

template <class T>
void read(Decoder& d, const json::value& v, const FieldRule& rule, std::optional<T>& out);
template <class T>
void read(Decoder& d, const json::value& v, const FieldRule& rule, std::vector<T>& out);
template <class T>
void read(Decoder& d, const json::value& v, const FieldRule& rule, std::map<std::string, T>& out);
template <Described T>
void read(Decoder& d, const json::value& v, const FieldRule& rule, T& out);

template <class T>
void read(Decoder& d, const json::value& v, const FieldRule& rule, std::optional<T>& out) {
  if (v.is_null()) {
    out.reset();
    return;
  }
  read(d, v, rule, out.emplace());
}

template <class T>
void read(Decoder& d, const json::value& v, const FieldRule& rule, std::vector<T>& out) {
  const auto* array = v.if_array();
  if (!array) return d.problem("must be an array", "array_type");
  d.check_range(rule, static_cast<double>(array->size()), "number of items");
  FieldRule item = rule;
  item.min = item.max = std::nullopt;
  out.clear();
  for (std::size_t i = 0; i < array->size(); ++i) {
    d.path.push_back(std::to_string(i));
    T element{};
    read(d, (*array)[i], item, element);
    out.push_back(std::move(element));
    d.path.pop_back();
  }
}

template <class T>
void read(Decoder& d, const json::value& v, const FieldRule& rule, std::map<std::string, T>& out) {
  const auto* object = v.if_object();
  if (!object) return d.problem("must be an object", "object_type");
  out.clear();
  for (const auto& [key, value] : *object) {
    d.path.emplace_back(key);
    read(d, value, rule, out[std::string(key)]);
    d.path.pop_back();
  }
}

template <Described T>
void read(Decoder& d, const json::value& v, const FieldRule&, T& out) {
  const auto* object = v.if_object();
  if (!object) return d.problem("must be an object", "object_type");
  std::size_t known = 0;
  std::vector<std::string_view> names;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) {
    const FieldRule rule = rule_of<T>(member.name);
    const json::value* value = object->if_contains(rule.name);
    if (value) ++known;
    if (!rule.alias.empty()) {
      if (const auto* other = object->if_contains(rule.alias)) {
        ++known;
        if (!value) value = other;
        names.push_back(rule.alias);
      }
    }
    names.push_back(rule.name);
    d.path.emplace_back(rule.name);
    if (value)
      read(d, *value, rule, out.*member.pointer);
    else if (rule.required)
      d.problem("is required", "missing");
    d.path.pop_back();
  });
  if (!d.options.refuse_unknown || known == object->size()) return;
  for (const auto& [key, value] : *object) {
    if (std::find(names.begin(), names.end(), std::string_view(key)) != names.end()) continue;
    d.path.emplace_back(key);
    d.problem("is not a known field", "unknown_field");
    d.path.pop_back();
  }
}

}  // namespace detail

// Reads a described struct (or any supported type) from JSON. Members that are absent keep their
// initial value. All problems are found in one pass, not just the first.
template <class T>
[[nodiscard]] std::expected<T, std::vector<Problem>> decode(const json::value& v,
                                                            DecodeOptions options = {}) {
  Decoder d(options);
  T out{};
  detail::read(d, v, FieldRule{.name = "", .doc = ""}, out);
  if (!d.problems.empty()) return std::unexpected(std::move(d.problems));
  return out;
}

// For documents we wrote ourselves (a stored Plan, an engine message): the first problem becomes an
// Errc::internal naming `what`.
template <class T>
[[nodiscard]] Result<T> decode_own(const json::value& v, std::string_view what) {
  auto out = decode<T>(v, {.refuse_unknown = false});
  if (out) return std::move(*out);
  std::string where;
  for (const auto& part : out.error().front().loc) where += "." + part;
  return fail(Errc::internal, std::string(what) + where + " " + out.error().front().msg);
}

namespace detail {

inline json::value write(bool v) {
  return v;
}
inline json::value write(int v) {
  return v;
}
inline json::value write(std::int64_t v) {
  return v;
}
inline json::value write(double v) {
  return std::isfinite(v) ? json::value(v) : json::value(nullptr);
}
inline json::value write(const std::string& v) {
  return json::value(to_valid_utf8(v));
}
inline json::value write(std::string_view v) {
  return json::value(to_valid_utf8(v));
}
inline json::value write(SystemTime v) {
  return json::value(to_iso8601(v));
}
inline json::value write(ByteCount v) {
  return v.value;
}
inline json::value write(const json::value& v) {
  return v;
}
inline json::value write(const json::object& v) {
  return v;
}
template <class Tag>
json::value write(const Id<Tag>& v) {
  return json::value(v.str());
}
template <TextEnum E>
json::value write(E v) {
  return json::value(to_text(v));
}
template <class T>
json::value write(const std::optional<T>& v);
template <class T>
json::value write(const std::vector<T>& v);
template <class T>
json::value write(const std::map<std::string, T>& v);
template <Described T>
json::value write(const T& v);

template <class T>
json::value write(const std::optional<T>& v) {
  return v ? write(*v) : json::value(nullptr);
}
template <class T>
json::value write(const std::vector<T>& v) {
  json::array out;
  out.reserve(v.size());
  for (const T& item : v) out.push_back(write(item));
  return out;
}
template <class T>
json::value write(const std::map<std::string, T>& v) {
  json::object out;
  for (const auto& [key, item] : v) out[to_valid_utf8(key)] = write(item);
  return out;
}
template <Described T>
json::value write(const T& v) {
  json::object out;
  boost::mp11::mp_for_each<Members<T>>([&](auto member) { out[member.name] = write(v.*member.pointer); });
  return out;
}

}  // namespace detail

// Writes every member, absent optionals as null; text is made valid UTF-8 on the way.
template <class T>
[[nodiscard]] json::value encode(const T& v) {
  return detail::write(v);
}

}  // namespace trawl
