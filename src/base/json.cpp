#include "base/json.h"

#include <fmt/format.h>

namespace trawl {

Result<json::value> parse_json(std::string_view text) {
  boost::system::error_code error;
  json::parse_options options;
  options.max_depth = 32;
  json::value value = json::parse(text, error, {}, options);
  if (error) return fail(Errc::invalid, "the body is not valid JSON: " + error.message(), "invalid_json");
  return value;
}

void Decoder::check_range(const FieldRule& rule, double value, std::string_view what) {
  const bool low = rule.min && value < *rule.min;
  const bool high = rule.max && value > *rule.max;
  if (!low && !high) return;
  const std::string subject = what.empty() ? "must be" : fmt::format("{} must be", what);
  if (rule.min && rule.max)
    problem(fmt::format("{} between {} and {}", subject, *rule.min, *rule.max), "out_of_range");
  else if (low)
    problem(fmt::format("{} at least {}", subject, *rule.min), "out_of_range");
  else
    problem(fmt::format("{} at most {}", subject, *rule.max), "out_of_range");
}

namespace detail {
namespace {

// The number a scalar text stands for, when the source has only text (environment, flags).
template <class N>
std::optional<N> from_text(const json::value& v) {
  const auto* text = v.if_string();
  if (!text) return std::nullopt;
  N out{};
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), out);
  if (error != std::errc{} || end != text->data() + text->size()) return std::nullopt;
  return out;
}

std::optional<std::int64_t> whole_number(const json::value& v) {
  if (const auto* i = v.if_int64()) return *i;
  if (const auto* f = v.if_double(); f && std::trunc(*f) == *f && std::abs(*f) < 9e15)
    return static_cast<std::int64_t>(*f);
  return std::nullopt;
}

}  // namespace

void read(Decoder& d, const json::value& v, const FieldRule&, bool& out) {
  if (const auto* b = v.if_bool()) {
    out = *b;
    return;
  }
  if (const auto* text = v.if_string(); text && d.options.text_scalars) {
    const std::string word = to_lower(*text);
    const bool yes = word == "true" || word == "1" || word == "yes" || word == "on";
    if (yes || word == "false" || word == "0" || word == "no" || word == "off") {
      out = yes;
      return;
    }
  }
  d.problem("must be true or false", "bool_type");
}

void read(Decoder& d, const json::value& v, const FieldRule& rule, std::int64_t& out) {
  auto number = whole_number(v);
  if (!number && d.options.text_scalars) number = from_text<std::int64_t>(v);
  if (!number) return d.problem("must be a whole number", "int_type");
  d.check_range(rule, static_cast<double>(*number), "");
  out = *number;
}

void read(Decoder& d, const json::value& v, const FieldRule& rule, double& out) {
  std::optional<double> number;
  if (v.is_number())
    number = v.to_number<double>();
  else if (d.options.text_scalars)
    number = from_text<double>(v);
  if (!number || !std::isfinite(*number)) return d.problem("must be a number", "float_type");
  d.check_range(rule, *number, "");
  out = *number;
}

void read(Decoder& d, const json::value& v, const FieldRule& rule, std::string& out) {
  const auto* text = v.if_string();
  if (!text) return d.problem("must be text", "string_type");
  d.check_range(rule, static_cast<double>(text->size()), "length");
  if (rule.check) {
    if (auto wrong = rule.check(*text)) d.problem(std::move(*wrong), "value_error");
  }
  out = std::string(*text);
}

void read(Decoder& d, const json::value& v, const FieldRule&, SystemTime& out) {
  const auto* text = v.if_string();
  const auto time = text ? parse_iso8601(*text) : Result<SystemTime>(fail(Errc::invalid, ""));
  if (!time) return d.problem("must be an ISO 8601 time such as 2026-01-31T12:00:00Z", "time_type");
  out = *time;
}

void read(Decoder& d, const json::value& v, const FieldRule& rule, ByteCount& out) {
  if (const auto number = whole_number(v)) {
    out.value = *number;
  } else if (const auto* text = v.if_string()) {
    const auto size = parse_bytes(*text);
    if (!size) return d.problem("must be a size such as 1048576 or 10GiB", "size_type");
    out = *size;
  } else {
    return d.problem("must be a number of bytes", "int_type");
  }
  d.check_range(rule, static_cast<double>(out.value), "");
}

void read(Decoder& d, const json::value& v, const FieldRule&, json::object& out) {
  const auto* object = v.if_object();
  if (!object) return d.problem("must be an object", "object_type");
  out = *object;
}

void report_enum(Decoder& d, std::span<const std::string_view> allowed) {
  d.problem(fmt::format("must be one of {}", fmt::join(allowed, ", ")), "enum");
}

}  // namespace detail
}  // namespace trawl
