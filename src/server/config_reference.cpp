#include <fmt/format.h>

#include "server/config_aliases.h"
#include "server/config_keys.h"
#include "server/config_print.h"

namespace trawl::server {
namespace {

constexpr std::string_view kIntroduction = R"(# Configuration

Every setting is a key `section.name`. It can be given in three places; a later one wins:

1. a TOML file: `--config FILE`, else `./trawl.toml`, else `/etc/trawl/trawl.toml`;
   a name that ends in `.json` is read as JSON
2. the environment: `TRAWL_SECTION_NAME`
3. a flag: `--section.name VALUE`

```toml
[server]
port = 9000

[download]
max_bytes = "2GiB"

[policy]
allowed_domains = ["example.com", "example.org"]
```

Lists are separated by commas in the environment and in flags. Sizes are bytes, or carry a unit: `512KiB`,
`10GiB`. A variable that is set but empty counts as not set. What is wrong or unknown, in any of the three
places, stops the start with a line that says where it stands and what is allowed.

`trawl config` prints the values in effect and where each came from. `trawl config --reference` prints
this page.
)";

constexpr std::string_view kOldNames = R"(
## Older names

Variables of the services Trawl replaces still work and log one line with the name to use. Two names that
give different values for one key stop the start.

| Variable | Key |
|---|---|
)";

std::string number(double value) {
  return value == static_cast<double>(static_cast<std::int64_t>(value)) ? fmt::format("{:.0f}", value)
                                                                        : fmt::format("{}", value);
}

std::string bound(const Key& key, double value) {
  return key.kind == KeyKind::size ? exact_size(static_cast<std::int64_t>(value)) : number(value);
}

std::string range_of(const Key& key) {
  switch (key.kind) {
    case KeyKind::boolean:
      return "true, false";
    case KeyKind::choice:
      return fmt::format("{}", fmt::join(key.choices, ", "));
    case KeyKind::text:
      return "text";
    case KeyKind::list:
      return "list";
    default:
      break;
  }
  const auto& [min, max] = std::pair(key.rule.min, key.rule.max);
  if (min && max) return fmt::format("{} to {}", bound(key, *min), bound(key, *max));
  if (min) return fmt::format("at least {}", bound(key, *min));
  return key.kind == KeyKind::size ? "size" : "number";
}

std::string default_of(const Key& key) {
  if (const auto derived = derived_default(key); !derived.empty()) return std::string(derived);
  if (key.kind == KeyKind::size) return fmt::format("`{}`", exact_size(key.initial.get_int64()));
  if (const auto* text = key.initial.if_string())
    return text->empty() ? "" : fmt::format("`{}`", std::string_view(*text));
  if (const auto* array = key.initial.if_array(); array && array->empty()) return "";
  if (const auto* real = key.initial.if_double()) return fmt::format("`{}`", *real);
  return fmt::format("`{}`", json::serialize(key.initial));
}

}  // namespace

std::string config_reference() {
  std::string out(kIntroduction);
  std::string section;
  for (const Key& key : all_keys()) {
    if (key.section != section) {
      section = key.section;
      out += fmt::format(
          "\n## {}\n\n| Key | Default | Allowed | Variable | Meaning |\n|---|---|---|---|---|\n", section);
    }
    out += fmt::format("| `{}` | {} | {} | `{}` | {}{} |\n", key.name(), default_of(key), range_of(key),
                       key.env(), key.rule.doc, key.rule.secret ? " Never printed." : "");
  }
  out += kOldNames;
  for (const Alias& alias : env_aliases()) out += fmt::format("| `{}` | `{}` |\n", alias.name, alias.key);
  return out;
}

}  // namespace trawl::server
