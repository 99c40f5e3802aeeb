#include <algorithm>
#include <fstream>

#include <fmt/format.h>
#include <toml++/toml.h>

#include "server/config_aliases.h"
#include "server/config_keys.h"
#include "server/config_source.h"

namespace trawl::server {
namespace {

constexpr std::uintmax_t kMaxFile = 1 << 20;

// A file's contents before they are matched with keys, whatever its format.
struct Entry {
  std::string section;  // Empty for what stands at the top level.
  std::string name;
  json::value value;
  int line = 0;  // 0 when the format does not tell.
};

Result<std::string> read_text(const std::filesystem::path& file) {
  const auto cannot = [&](std::string_view why) {
    return fail(Errc::invalid, fmt::format("{}: cannot be read: {}", file.string(), why));
  };
  std::error_code error;
  const auto size = std::filesystem::file_size(file, error);
  if (error) return cannot(error.message());
  if (size > kMaxFile) return cannot("it is larger than 1 MiB");
  std::ifstream in(file, std::ios::binary);
  std::string text(size, '\0');
  if (!in || !in.read(text.data(), static_cast<std::streamsize>(size)))
    return cannot(std::generic_category().message(errno));
  return text;
}

// Dates, times and nested tables become null, which no key accepts.
json::value to_json(const toml::node& node) {
  if (const auto* text = node.as_string()) return json::value(text->get());
  if (const auto* number = node.as_integer()) return json::value(number->get());
  if (const auto* number = node.as_floating_point()) return json::value(number->get());
  if (const auto* flag = node.as_boolean()) return json::value(flag->get());
  const auto* array = node.as_array();
  if (!array) return nullptr;
  json::array out;
  for (const toml::node& item : *array) out.push_back(item.is_array() ? json::value(nullptr) : to_json(item));
  return out;
}

int line_of(const toml::node& node) {
  return static_cast<int>(node.source().begin.line);
}

bool is_section(std::string_view section, std::string_view name) {
  const std::string whole = fmt::format("{}.{}", section, name);
  return std::ranges::any_of(all_keys(), [&](const Key& key) { return key.section == whole; });
}

// A table in a section may be a section of its own: [storage.s3].
void add_table(const std::string& section, const toml::table& table, std::vector<Entry>& out) {
  for (const auto& [name, value] : table) {
    const auto* inner = value.as_table();
    if (inner && is_section(section, name.str()))
      add_table(fmt::format("{}.{}", section, name.str()), *inner, out);
    else
      out.push_back({section, std::string(name.str()), to_json(value), line_of(value)});
  }
}

void add_object(const std::string& section, const json::object& object, std::vector<Entry>& out) {
  for (const auto& [name, value] : object) {
    const auto* inner = value.if_object();
    if (inner && is_section(section, name))
      add_object(fmt::format("{}.{}", section, std::string_view(name)), *inner, out);
    else
      out.push_back({section, std::string(name), value, 0});
  }
}

Result<std::vector<Entry>> parse_toml(const std::filesystem::path& file, std::string_view text) {
  std::vector<Entry> out;
  try {
    const toml::table root = toml::parse(text);
    for (const auto& [section, node] : root) {
      if (const auto* table = node.as_table()) {
        add_table(std::string(section.str()), *table, out);
      } else {
        out.push_back({"", std::string(section.str()), to_json(node), line_of(node)});
      }
    }
  } catch (const toml::parse_error& error) {
    return fail(Errc::invalid,
                fmt::format("{}:{}: {}", file.string(), error.source().begin.line, error.description()));
  }
  return out;
}

Result<std::vector<Entry>> parse_json_file(const std::filesystem::path& file, std::string_view text) {
  boost::system::error_code error;
  const json::value root = json::parse(text, error);
  if (error || !root.is_object()) {
    return fail(Errc::invalid,
                fmt::format("{}: {}", file.string(), error ? error.message() : "must be a JSON object"));
  }
  std::vector<Entry> out;
  for (const auto& [section, node] : root.get_object()) {
    if (const auto* object = node.if_object()) {
      add_object(std::string(section), *object, out);
    } else {
      out.push_back({"", std::string(section), node, 0});
    }
  }
  return out;
}

const Alias* file_alias(std::string_view name) {
  const auto aliases = file_aliases();
  const auto found = std::ranges::find(aliases, name, &Alias::name);
  return found == aliases.end() ? nullptr : &*found;
}

void add(Entry entry, const std::filesystem::path& file, Reading& out) {
  const std::string origin = entry.line > 0 ? fmt::format("{}:{}", file.string(), entry.line) : file.string();
  const std::string name =
      entry.section.empty() ? entry.name : fmt::format("{}.{}", entry.section, entry.name);
  if (const Key* key = find_key(name)) {
    out.settings.push_back({key, std::move(entry.value), origin});
  } else if (const Alias* alias = entry.section.empty() ? file_alias(name) : nullptr) {
    out.settings.push_back(
        {find_key(alias->key), std::move(entry.value), fmt::format("{}, {}", origin, name)});
    out.warnings.push_back(fmt::format("{}: {} is a deprecated name: use {}", origin, name, alias->key));
  } else if (entry.section.empty() && file_key_without_effect(name)) {
    out.warnings.push_back(fmt::format("{}: {} has no effect yet", origin, name));
  } else {
    out.problems.push_back(fmt::format("{}: {} is not a known key{}", origin, name,
                                       suggestion(name, [](const Key& known) { return known.name(); })));
  }
}

}  // namespace

Reading read_file(const std::filesystem::path& file) {
  Reading out;
  const auto text = read_text(file);
  if (!text) {
    out.problems.push_back(text.error().message);
    return out;
  }
  auto entries = file.extension() == ".json" ? parse_json_file(file, *text) : parse_toml(file, *text);
  if (!entries) {
    out.problems.push_back(entries.error().message);
    return out;
  }
  for (Entry& entry : *entries) add(std::move(entry), file, out);
  return out;
}

}  // namespace trawl::server
