#include "downloads/presets.h"

#include <algorithm>
#include <array>
#include <regex>

#include <fmt/format.h>

#include "base/text.h"
#include "jobs/job_row.h"
#include "media/options.h"

namespace trawl::downloads {
namespace {

constexpr std::int64_t kMostPresets = 100;  // Of one tenant.
constexpr const char* kColumns = "name, description, options, created_at, updated_at";

SystemTime time_of(std::int64_t millis) {
  return SystemTime(Millis(millis));
}

Result<Preset> read_preset(const db::Row& row) {
  auto options = parse_json(row.text(2));
  if (!options || !options->is_object()) return fail(Errc::internal, "a preset's row is damaged");
  return Preset{.name = row.text(0),
                .description = row.text(1),
                .options = std::move(options->get_object()),
                .created_at = time_of(row.integer(3)),
                .updated_at = time_of(row.integer(4))};
}

std::unexpected<Error> unknown(std::string_view name) {
  return fail(Errc::not_found, fmt::format("there is no preset {}", to_valid_utf8(name)));
}

Result<std::optional<Preset>> select(db::Transaction& transaction, const std::string& tenant,
                                     const std::string& name) {
  const auto rows = transaction.query(
      fmt::format("SELECT {} FROM presets WHERE tenant = $1 AND name = $2", kColumns), {tenant, name});
  if (!rows) return fail(rows.error());
  if (rows->empty()) return std::nullopt;
  auto preset = read_preset(rows->front());
  if (!preset) return fail(std::move(preset.error()));
  return std::move(*preset);
}

Result<void> check_room(db::Transaction& transaction, const std::string& tenant) {
  const auto rows = transaction.query("SELECT COUNT(*) FROM presets WHERE tenant = $1", {tenant});
  if (!rows) return fail(rows.error());
  if (rows->front().integer(0) < kMostPresets) return {};
  return fail(Errc::rate_limited, fmt::format("there are {} presets already", kMostPresets),
              "too_many_presets");
}

Result<Preset> store(db::Transaction& transaction, const std::string& tenant, Preset preset, bool replace) {
  const auto known = select(transaction, tenant, preset.name);
  if (!known) return fail(known.error());
  if (*known && !replace)
    return fail(Errc::conflict, fmt::format("there is a preset {} already", preset.name), "preset_exists");
  if (!*known) {
    if (auto room = check_room(transaction, tenant); !room) return fail(room.error());
  }
  preset.configured = false;
  preset.updated_at = time_of(jobs::to_millis(transaction.now()));
  preset.created_at = *known ? (*known)->created_at : preset.updated_at;
  const auto stored = transaction.execute(
      "INSERT INTO presets (tenant, name, description, options, created_at, updated_at)"
      " VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (tenant, name) DO UPDATE SET"
      " description = excluded.description, options = excluded.options, updated_at = excluded.updated_at",
      {tenant, preset.name, preset.description, json::serialize(preset.options),
       jobs::to_millis(*preset.created_at), jobs::to_millis(*preset.updated_at)});
  if (!stored) return fail(stored.error());
  return preset;
}

// The other spelling of an option, if it has one.
std::string_view alias_of(std::string_view name) {
  for (const FieldRule& rule : Rules<media::DownloadOptions>::fields) {
    if (rule.name == name) return rule.alias;
  }
  return {};
}

// Options that answer one question together: who names one of them wants none of a preset's others.
constexpr std::array<std::string_view, 4> kTogether[] = {
    {"quality", "custom_format", "audio_only"},
    {"section_start", "section_end", "section_chapter", "sponsorblock_remove"}};

bool names(const json::object& body, std::string_view option) {
  const std::string_view alias = alias_of(option);
  return body.contains(option) || (!alias.empty() && body.contains(alias));
}

// Whether `body` itself answers what `option` is about.
bool answers(const json::object& body, std::string_view option) {
  if (names(body, option)) return true;
  for (const auto& group : kTogether) {
    if (std::ranges::find(group, option) == group.end()) continue;
    if (std::ranges::any_of(group,
                            [&](std::string_view other) { return !other.empty() && names(body, other); }))
      return true;
  }
  return false;
}

}  // namespace

std::optional<std::string> check_preset_name(std::string_view text) {
  static const std::regex name("[A-Za-z0-9][A-Za-z0-9_-]{0,49}");
  if (std::regex_match(text.begin(), text.end(), name)) return std::nullopt;
  return "must be 1 to 50 letters, digits, '-' or '_', and begin with a letter or digit";
}

std::vector<Problem> check_preset_options(const json::object& options) {
  const auto decoded = decode<media::DownloadOptions>(options);
  if (!decoded) return decoded.error();
  if (decoded->preset) return {{{"preset"}, "a preset cannot name another", "value_error"}};
  const auto wrong = media::check_together(*decoded);
  return wrong ? std::vector<Problem>{{{}, *wrong, "value_error"}} : std::vector<Problem>{};
}

json::object with_preset(const json::object& body, const json::object& options) {
  json::object merged = body;
  for (const auto& [name, value] : options) {
    if (!answers(body, name)) merged[name] = value;
  }
  return merged;
}

Result<std::map<std::string, Preset, std::less<>>> read_presets(std::string_view text) {
  const auto document = parse_json(text);
  if (!document) return fail(document.error());
  if (!document->is_object()) return fail(Errc::invalid, "a file of presets is a JSON object");
  std::map<std::string, Preset, std::less<>> out;
  for (const auto& [name, value] : document->get_object()) {
    Preset preset{.name = std::string(name), .configured = true};
    if (const auto wrong = check_preset_name(preset.name))
      return fail(Errc::invalid, fmt::format("preset {}: its name {}", preset.name, *wrong));
    if (!value.is_object()) return fail(Errc::invalid, fmt::format("preset {} is no object", preset.name));
    preset.options = value.get_object();
    if (const auto* description = preset.options.if_contains("description")) {
      if (description->is_string()) preset.description = std::string(description->get_string());
      preset.options.erase("description");
    }
    if (const auto problems = check_preset_options(preset.options); !problems.empty()) {
      const Problem& first = problems.front();
      return fail(Errc::invalid, fmt::format("preset {}: {} {}", preset.name,
                                             first.loc.empty() ? "" : first.loc.front(), first.msg));
    }
    out.emplace(preset.name, std::move(preset));
  }
  return out;
}

Task<Result<std::vector<Preset>>> Presets::list(std::string tenant) {
  using List = Result<std::vector<Preset>>;
  auto own = co_await database_.read([&tenant](db::Transaction& transaction) -> List {
    const auto rows =
        transaction.query(fmt::format("SELECT {} FROM presets WHERE tenant = $1", kColumns), {tenant});
    if (!rows) return fail(rows.error());
    std::vector<Preset> out;
    for (const db::Row& row : *rows) {
      auto preset = read_preset(row);
      if (!preset) return fail(std::move(preset.error()));
      out.push_back(std::move(*preset));
    }
    return out;
  });
  if (!own) co_return own;
  for (const auto& [name, preset] : configured_) {
    if (std::ranges::find(*own, name, &Preset::name) == own->end()) own->push_back(preset);
  }
  std::ranges::sort(*own, {}, &Preset::name);
  co_return own;
}

Task<Result<Preset>> Presets::find(std::string tenant, std::string name) {
  auto own = co_await database_.read(
      [&](db::Transaction& transaction) { return select(transaction, tenant, name); });
  if (!own) co_return fail(own.error());
  if (*own) co_return std::move(**own);
  const auto configured = configured_.find(name);
  if (configured == configured_.end()) co_return unknown(name);
  co_return configured->second;
}

Task<Result<Preset>> Presets::put(std::string tenant, Preset preset, bool replace) {
  co_return co_await database_.write(
      [&](db::Transaction& transaction) { return store(transaction, tenant, preset, replace); });
}

Task<Result<void>> Presets::remove(std::string tenant, std::string name) {
  co_return co_await database_.write([&](db::Transaction& transaction) -> Result<void> {
    const auto removed =
        transaction.execute("DELETE FROM presets WHERE tenant = $1 AND name = $2", {tenant, name});
    if (!removed) return fail(removed.error());
    if (*removed == 0) return unknown(name);
    return {};
  });
}

Task<Result<json::object>> Presets::apply(std::string tenant, json::object body) {
  std::string name(kDefaultPreset);
  const auto* asked = body.if_contains("preset");
  const bool named = asked && !asked->is_null();
  if (named) {
    if (!asked->is_string()) co_return fail(Errc::invalid, "preset must be text", "unknown_preset");
    name = std::string(asked->get_string());
  }
  body.erase("preset");
  const auto found = co_await find(std::move(tenant), name);
  if (!found && found.error().code != Errc::not_found) co_return fail(found.error());
  if (!found && named) co_return fail(Errc::invalid, found.error().message, "unknown_preset");
  if (!found) co_return body;
  co_return with_preset(body, found->options);
}

}  // namespace trawl::downloads
