#include "server/config_source.h"

#include <fmt/format.h>

#include "server/config_aliases.h"

namespace trawl::server {
namespace {

constexpr std::string_view kPrefix = "TRAWL_";
constexpr std::size_t kShownValue = 100;

const Key* key_of_variable(std::string_view name) {
  for (const Key& key : all_keys()) {
    if (key.env() == name) return &key;
  }
  return nullptr;
}

void add_alias(const Alias& alias, const std::string& value, Reading& out) {
  Setting setting{find_key(alias.key), json::value(value), std::string(alias.name)};
  if (alias.convert) {
    auto converted = alias.convert(value);
    if (!converted) {
      out.problems.push_back(problem_line(setting, converted.error()));
      return;
    }
    setting.value = json::value(*converted);
  }
  out.settings.push_back(std::move(setting));
}

void read_aliases(const Environment& environment, Reading& out) {
  for (const Alias& alias : env_aliases()) {
    const auto found = environment.find(std::string(alias.name));
    if (found == environment.end() || found->second.empty()) continue;
    const std::size_t before = out.settings.size();
    add_alias(alias, found->second, out);
    if (out.settings.size() == before) continue;
    const Key& key = *out.settings.back().key;
    out.warnings.push_back(
        fmt::format("{} is a deprecated name: use {} or the key {}", alias.name, key.env(), key.name()));
  }
}

std::string printed(const json::value& value) {
  if (const auto* number = value.if_double()) return fmt::format("{}", *number);
  if (const auto* text = value.if_string()) return json::serialize(json::value(to_valid_utf8(*text)));
  return json::serialize(value);
}

}  // namespace

std::string problem_line(const Setting& setting, std::string_view what) {
  std::string value = setting.key->rule.secret ? "***" : printed(setting.value);
  if (value.size() > kShownValue) value = fmt::format("{}...", truncate_utf8(value, kShownValue));
  return fmt::format("{} = {} ({}): {}", setting.key->name(), value, setting.origin, what);
}

Reading read_environment(const Environment& environment) {
  Reading out;
  read_aliases(environment, out);
  for (const auto& [name, value] : environment) {
    if (value.empty()) continue;
    if (env_without_effect(name)) out.warnings.push_back(fmt::format("{} has no effect yet", name));
    if (!name.starts_with(kPrefix) || injected_by_orchestrator(name, value)) continue;
    if (const Key* key = key_of_variable(name)) {
      out.settings.push_back({key, json::value(value), name});
    } else {
      out.problems.push_back(fmt::format("{} is not a variable Trawl knows{}", to_valid_utf8(name),
                                         suggestion(name, [](const Key& known) { return known.env(); })));
    }
  }
  return out;
}

Reading read_platform(const Environment& environment) {
  Reading out;
  for (const Alias& alias : platform_aliases()) {
    const auto found = environment.find(std::string(alias.name));
    if (found != environment.end() && !found->second.empty()) add_alias(alias, found->second, out);
  }
  return out;
}

Reading read_flags(const std::vector<std::pair<std::string, std::string>>& flags) {
  Reading out;
  for (const auto& [name, value] : flags) {
    const Key* key = find_key(name);
    if (!key) {
      const std::string flag = "--" + to_valid_utf8(name);
      out.problems.push_back(
          fmt::format("{} is not a known flag{}", flag,
                      suggestion(flag, [](const Key& known) { return "--" + known.name(); })));
      continue;
    }
    std::erase_if(out.settings, [&](const Setting& earlier) { return earlier.key == key; });
    out.settings.push_back({key, json::value(value), "--" + name});
  }
  return out;
}

}  // namespace trawl::server
