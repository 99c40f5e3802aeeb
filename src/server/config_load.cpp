#include "server/config_load.h"

#include <fmt/format.h>

#include "base/json.h"
#include "server/storage_config.h"

namespace trawl::server {
namespace {

// Builds the configuration source by source, weakest first.
class Merge {
 public:
  // Two settings of one source must agree; against earlier sources they win.
  void add(Reading reading) {
    std::ranges::move(reading.problems, std::back_inserter(problems));
    std::ranges::move(reading.warnings, std::back_inserter(loaded.warnings));
    std::map<std::string, Setting> level;
    for (Setting& setting : reading.settings) {
      auto value = normalise(*setting.key, setting.value);
      if (!value) {
        problems.push_back(problem_line(setting, value.error()));
        continue;
      }
      setting.value = std::move(*value);
      const auto [other, fresh] = level.try_emplace(setting.key->name(), setting);
      if (!fresh && other->second.value != setting.value) {
        problems.push_back(fmt::format("{} and {} give different values for {}: keep one of them",
                                       other->second.origin, setting.origin, setting.key->name()));
      }
    }
    for (auto& [name, setting] : level) settings.insert_or_assign(name, std::move(setting));
  }

  void decode_settings() {
    json::object document;
    for (const auto& [name, setting] : settings) {
      auto& section = document[setting.key->member];
      if (!section.is_object()) section.emplace_object();
      section.get_object()[setting.key->rule.name] = setting.value;
      loaded.origins[name] = setting.origin;
    }
    loaded.config = decode<Config>(document).value();  // Every value was accepted by normalise().
  }

  [[nodiscard]] bool given(const std::string& key) const { return settings.contains(key); }

  void derive_defaults() {
    Config& config = loaded.config;
    if (!given("limits.enabled") && config.auth.mode == access::Mode::off) config.limits.enabled = false;
    if (!given("log.level") && config.server.debug) config.log.level = LogLevel::debug;
    if (config.db.url.empty()) {
      config.db.url = "sqlite:///" + (std::filesystem::path(config.storage.dir) / "trawl.db").string();
    }
  }

  // Never a silent falling back to the folder: what the bucket needs must be there.
  void check_storage() {
    const Config& config = loaded.config;
    if (config.storage.backend != Backend::s3) return;
    const auto refuse = [this](std::string_view why) {
      problems.push_back(problem_line(settings.at("storage.backend"), why));
    };
    if (config.storage_s3.bucket.empty()) return refuse("needs storage.s3.bucket");
    if (const auto bucket = s3::make_bucket(bucket_settings(config.storage_s3)); !bucket)
      refuse("cannot be used: " + bucket.error().message);
    if (config.storage_s3.access_key.empty() != config.storage_s3.secret_key.empty())
      refuse("needs both of storage.s3.access_key and storage.s3.secret_key, or neither");
    if (config.storage_s3.delivery == FileDelivery::cdn && config.storage_s3.cdn_domain.empty())
      refuse("needs storage.s3.cdn_domain, as storage.s3.delivery is cdn");
    if (config.storage_s3.cdn_key_id.empty() != config.storage_s3.cdn_key_file.empty())
      refuse("needs both of storage.s3.cdn_key_id and storage.s3.cdn_key_file, or neither");
  }

  // What single values cannot show.
  void check_together() {
    const Config& config = loaded.config;
    if (const double hours = config.storage.retention_hours; hours > 0 && hours < 0.1) {
      problems.push_back(
          problem_line(settings.at("storage.retention_hours"), "must be 0 or between 0.1 and 8760"));
    }
    check_storage();
    if (config.server.role != Role::all && !postgres_url(config.db.url)) {
      problems.push_back(
          problem_line(settings.at("server.role"),
                       "needs db.url to be a PostgreSQL database, which several processes can share"));
    }
    if (config.auth.mode == access::Mode::off && !config.auth.api_key.empty()) {
      loaded.warnings.push_back(fmt::format("auth.api_key has no effect, as auth.mode is off ({})",
                                            settings.at("auth.mode").origin));
    }
    if (config.policy.youtube_only && !config.policy.allow_youtube) {
      problems.push_back(problem_line(settings.at("policy.youtube_only"),
                                      "leaves nothing to download, as policy.allow_youtube is false"));
    }
  }

  std::map<std::string, Setting> settings;
  std::vector<std::string> problems;
  LoadedConfig loaded;
};

}  // namespace

Result<LoadedConfig> load_config(const Sources& sources) {
  Merge merge;
  merge.add(read_platform(sources.env));
  if (sources.file) merge.add(read_file(*sources.file));
  merge.add(read_environment(sources.env));
  merge.add(read_flags(sources.flags));
  merge.decode_settings();
  merge.derive_defaults();
  if (merge.problems.empty()) merge.check_together();
  if (!merge.problems.empty()) {
    return fail(Errc::invalid, fmt::format("{}", fmt::join(merge.problems, "\n")), "invalid_configuration");
  }
  return std::move(merge.loaded);
}

Result<std::optional<std::filesystem::path>> find_config_file(
    const std::optional<std::filesystem::path>& given, const std::filesystem::path& working,
    const std::filesystem::path& root) {
  std::error_code error;
  if (given) {
    if (std::filesystem::is_regular_file(*given, error)) return given;
    return fail(Errc::invalid, fmt::format("--config {}: there is no such file", given->string()),
                "invalid_configuration");
  }
  for (const auto& candidate : {working / "trawl.toml", root / "etc/trawl/trawl.toml"}) {
    if (std::filesystem::exists(candidate, error)) return candidate;
  }
  return std::nullopt;
}

}  // namespace trawl::server
