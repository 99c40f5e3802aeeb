#include "server/engine_options.h"

#include <filesystem>

#include "server/environment.h"

namespace trawl::server {
namespace {

// engine/host.py of a build tree or of an installation, as seen from the program.
std::filesystem::path find_engine_host() {
  std::error_code error;
  const auto program = std::filesystem::read_symlink("/proc/self/exe", error).parent_path();
  for (const char* place : {"../../engine/host.py", "../share/trawl/engine/host.py"}) {
    const auto candidate = (program / place).lexically_normal();
    if (std::filesystem::exists(candidate, error)) return candidate;
  }
  return {};
}

constexpr int kLooks = 64;  // Children beside those of the downloads: of previews and lists.

}  // namespace

engine::EngineOptions engine_options(const Config& config) {
  engine::EngineOptions options;
  options.python = config.engine.python;
  options.host_script = find_engine_host();
  options.ytdlp_path = config.engine.ytdlp_path;
  for (const std::string& folder : config.engine.plugin_dirs) options.plugin_dirs.emplace_back(folder);
  options.ffmpeg = config.ffmpeg.path;
  if (!config.transfer.ca_file.empty()) options.ca_file = std::filesystem::absolute(config.transfer.ca_file);
  const SandboxConfig& sandbox = config.sandbox;
  options.sandbox = {.required = sandbox.required,
                     .first_uid = sandbox.first_uid,
                     .children = config.download.max_concurrent + kLooks,
                     .memory_bytes = sandbox.memory_bytes.value,
                     .max_file_bytes = sandbox.max_file_bytes.value,
                     .cpu_sec = sandbox.cpu_sec,
                     .read_paths = sandbox.read_paths};
  const auto variables = environment();
  if (const auto path = variables.find("PATH"); path != variables.end()) options.search_path = path->second;
  return options;
}

}  // namespace trawl::server
