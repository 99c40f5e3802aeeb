#include "server/config_keys.h"

#include <numeric>

#include <fmt/format.h>

#include "base/text.h"
#include "server/config_rules.h"

namespace trawl::server {
namespace {

template <class T>
constexpr KeyKind kind_of() {
  if constexpr (std::is_same_v<T, bool>)
    return KeyKind::boolean;
  else if constexpr (std::is_integral_v<T>)
    return KeyKind::whole_number;
  else if constexpr (std::is_floating_point_v<T>)
    return KeyKind::number;
  else if constexpr (std::is_same_v<T, ByteCount>)
    return KeyKind::size;
  else if constexpr (std::is_same_v<T, std::string>)
    return KeyKind::text;
  else if constexpr (TextEnum<T>)
    return KeyKind::choice;
  else
    return KeyKind::list;
}

// Each value of an enum once, in the spelling that encode() prints.
template <class T>
std::vector<std::string_view> choices_of(const T&) {
  std::vector<std::string_view> out;
  if constexpr (TextEnum<T>) {
    for (const auto& [value, text] : EnumText<T>::names) {
      if (to_text(value) == text) out.push_back(text);
    }
  }
  return out;
}

template <Described S>
void add_section(std::string_view member_name, const S& defaults, std::vector<Key>& out) {
  std::string section(member_name);
  std::ranges::replace(section, '_', '.');
  boost::mp11::mp_for_each<Members<S>>([&](auto member) {
    const auto& value = defaults.*member.pointer;
    out.push_back({.section = section,
                   .member = member_name,
                   .rule = rule_of<S>(member.name),
                   .kind = kind_of<std::remove_cvref_t<decltype(value)>>(),
                   .choices = choices_of(value),
                   .initial = encode(value)});
  });
}

json::array split_list(std::string_view text) {
  json::array out;
  for (const std::string_view part : split(text, ',')) {
    if (!trim(part).empty()) out.push_back(json::value(trim(part)));
  }
  return out;
}

// The number of single-character edits, also swaps of neighbours, between two words.
std::size_t distance(std::string_view a, std::string_view b) {
  std::vector<std::size_t> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  std::iota(last.begin(), last.end(), std::size_t{0});
  for (std::size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (std::size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
        row[j] = std::min(row[j], before[j - 2] + 1);
      }
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

}  // namespace

std::string Key::name() const {
  return fmt::format("{}.{}", section, rule.name);
}

std::string Key::env() const {
  std::string out = fmt::format("trawl_{}_{}", member, rule.name);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return out;
}

const std::vector<Key>& all_keys() {
  static const std::vector<Key> keys = [] {
    std::vector<Key> out;
    const Config defaults;
    boost::mp11::mp_for_each<Members<Config>>(
        [&](auto member) { add_section(member.name, defaults.*member.pointer, out); });
    return out;
  }();
  return keys;
}

const Key* find_key(std::string_view name) {
  const auto& keys = all_keys();
  const auto found = std::ranges::find_if(keys, [&](const Key& key) { return key.name() == name; });
  return found == keys.end() ? nullptr : &*found;
}

std::expected<json::value, std::string> normalise(const Key& key, json::value value) {
  if (key.kind == KeyKind::list && value.is_string()) value = split_list(value.get_string());
  json::object section;
  section[key.rule.name] = std::move(value);
  json::object document;
  document[key.member] = std::move(section);
  const auto config = decode<Config>(document, {.text_scalars = true});
  if (!config && key.kind == KeyKind::choice) {
    return std::unexpected(fmt::format("must be one of {}", fmt::join(key.choices, ", ")));
  }
  if (!config) return std::unexpected(config.error().front().msg);
  return encode(*config).at(key.member).at(key.rule.name);
}

std::string_view derived_default(const Key& key) {
  if (key.section == "limits" && key.rule.name == "enabled") return "true unless auth.mode is off";
  if (key.section == "db" && key.rule.name == "url") return "trawl.db in storage.dir";
  if (key.member == "storage_s3" && key.rule.name == "endpoint") return "Amazon's";
  return {};
}

std::string exact_size(std::int64_t bytes) {
  constexpr std::string_view kUnits[] = {"", "KiB", "MiB", "GiB", "TiB"};
  std::size_t unit = 0;
  while (bytes != 0 && bytes % 1024 == 0 && unit + 1 < std::size(kUnits)) {
    bytes /= 1024;
    ++unit;
  }
  return fmt::format("{}{}", bytes, kUnits[unit]);
}

std::string suggestion(std::string_view unknown, std::string (*spelling)(const Key& key)) {
  std::string best;
  std::size_t best_distance = std::max<std::size_t>(2, unknown.size() / 4) + 1;
  for (const Key& key : all_keys()) {
    std::string candidate = spelling(key);
    const std::size_t d = distance(unknown, candidate);
    if (d >= best_distance) continue;
    best_distance = d;
    best = std::move(candidate);
  }
  return best.empty() ? "; `trawl config` lists the keys" : fmt::format("; did you mean {}?", best);
}

}  // namespace trawl::server
