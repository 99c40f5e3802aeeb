#include "server/config_print.h"

#include <sstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "server/config_keys.h"

namespace trawl::server {
namespace {

constexpr std::string_view kMask = "********";

std::string toml_text(std::string_view text) {
  std::ostringstream out;
  out << toml::value<std::string>(std::string(text));
  return out.str();
}

std::string toml_value(const Key& key, const json::value& value) {
  if (key.kind == KeyKind::size) {
    const std::string size = exact_size(value.get_int64());
    return std::isdigit(static_cast<unsigned char>(size.back())) != 0 ? size : toml_text(size);
  }
  if (const auto* text = value.if_string()) return toml_text(*text);
  if (const auto* number = value.if_double()) return fmt::format("{}", *number);
  const auto* array = value.if_array();
  if (!array) return json::serialize(value);
  std::vector<std::string> items;
  for (const json::value& item : *array) items.push_back(toml_text(item.get_string()));
  return fmt::format("[{}]", fmt::join(items, ", "));
}

std::string origin_of(const LoadedConfig& loaded, const Key& key) {
  const auto found = loaded.origins.find(key.name());
  return found == loaded.origins.end() ? "default" : found->second;
}

// The value of a key, with secrets masked; what nobody gave is none.
json::value shown(const LoadedConfig& loaded, const Key& key, const json::value& config) {
  const json::value& value = config.at(key.member).at(key.rule.name);
  if (!key.rule.secret || !loaded.origins.contains(key.name())) return value;
  return json::value(kMask);
}

std::string as_toml(const LoadedConfig& loaded, const json::value& config) {
  std::string out;
  std::string section;
  for (const Key& key : all_keys()) {
    if (key.section != section) {
      out += fmt::format("{}[{}]\n", section.empty() ? "" : "\n", key.section);
      section = key.section;
    }
    const std::string line =
        fmt::format("{} = {}", key.rule.name, toml_value(key, shown(loaded, key, config)));
    out += fmt::format("{:<40} # {}\n", line, origin_of(loaded, key));
  }
  return out;
}

std::string as_json(const LoadedConfig& loaded, const json::value& config) {
  json::object out;
  for (const Key& key : all_keys()) {
    auto& section = out[key.section];
    if (!section.is_object()) section.emplace_object();
    section.get_object()[key.rule.name] = {{"value", shown(loaded, key, config)},
                                           {"origin", origin_of(loaded, key)}};
  }
  return json::serialize(out) + "\n";
}

}  // namespace

std::string print_config(const LoadedConfig& loaded, PrintFormat format) {
  const json::value config = encode(loaded.config);
  return format == PrintFormat::toml ? as_toml(loaded, config) : as_json(loaded, config);
}

}  // namespace trawl::server
