#include "server/preset_config.h"

#include <fstream>
#include <iterator>

#include <fmt/format.h>

namespace trawl::server {
namespace {

using Presets = std::map<std::string, downloads::Preset, std::less<>>;

Result<Presets> read_file(const std::string& file) {
  if (file.empty()) return {};
  std::ifstream in(file);
  std::string text{std::istreambuf_iterator<char>(in), {}};
  if (!in) return fail(Errc::unavailable, fmt::format("cannot read {} (media.presets)", file));
  auto presets = downloads::read_presets(text);
  if (!presets)
    return fail(Errc::invalid, fmt::format("{} (media.presets): {}", file, presets.error().message));
  return presets;
}

json::object defaults(const DownloadConfig& config) {
  json::object out;
  if (!config.format.empty()) out["custom_format"] = config.format;
  if (config.audio_only) out["audio_only"] = true;
  if (config.sponsorblock) out["sponsorblock_remove"] = json::array{"sponsor"};
  return out;
}

}  // namespace

Result<Presets> configured_presets(const Config& config) {
  auto presets = read_file(config.media.presets);
  const json::object options = defaults(config.download);
  if (!presets || options.empty()) return presets;
  const std::string name(downloads::kDefaultPreset);
  downloads::Preset& preset =
      presets->try_emplace(name, downloads::Preset{.name = name, .configured = true}).first->second;
  preset.options = downloads::with_preset(preset.options, options);
  return presets;
}

}  // namespace trawl::server
