#include <csignal>
#include <iostream>
#include <sys/resource.h>

#include <fmt/format.h>

#include "async/run.h"
#include "base/log.h"
#include "cli/completion.h"
#include "cli/options.h"
#include "server/backup.h"
#include "server/config_keys.h"
#include "server/config_load.h"
#include "server/config_print.h"
#include "server/engine_command.h"
#include "server/environment.h"
#include "server/get.h"
#include "server/policy.h"
#include "server/serve.h"
#include "server/version.h"

namespace trawl::server {
namespace {

Result<LoadedConfig> load(const cli::CommandLine& line) {
  auto file = find_config_file(line.config_file);
  if (!file) return fail(file.error());
  return load_config({.file = *file, .env = environment(), .flags = line.settings});
}

int print_configuration(const cli::ConfigOptions& options, const LoadedConfig& loaded) {
  for (const std::string& warning : loaded.warnings) std::cerr << "trawl: " << warning << "\n";
  if (options.reference)
    std::cout << config_reference();
  else
    std::cout << print_config(loaded, options.json ? PrintFormat::json : PrintFormat::toml);
  return cli::kExitDone;
}

int print_completion() {
  std::vector<std::string> keys;
  for (const Key& key : all_keys()) keys.push_back(key.name());
  std::cout << cli::bash_completion(keys);
  return cli::kExitDone;
}

// The log of `get` would tear up its progress bars, so it is silent unless somebody asked for it.
void set_up_log(const LoadedConfig& loaded, bool quiet) {
  const LogConfig& log = loaded.config.log;
  configure_log(quiet && !loaded.origins.contains("log.level") ? LogLevel::off : log.level, log.format);
  for (const std::string& warning : loaded.warnings) log_warn(warning);
}

Result<void> open_log_folder(const LogConfig& log) {
  if (log.dir.empty()) return {};
  return log_to_folder(log.dir, static_cast<std::size_t>(log.max_bytes.value),
                       static_cast<std::size_t>(log.backups));
}

int start_serving(const LoadedConfig& loaded) {
  if (const auto opened = open_log_folder(loaded.config.log); !opened) {
    std::cerr << "trawl: " << opened.error().message << std::endl;
    return cli::kExitUsage;
  }
  set_up_log(loaded, false);
  return serve(loaded);
}

struct Runner {
  const LoadedConfig& loaded;

  int operator()(const cli::ServeOptions&) const { return start_serving(loaded); }
  int operator()(const cli::GetOptions& options) const {
    return set_up_log(loaded, true), get(options, loaded);
  }
  int operator()(const cli::ConfigOptions& options) const { return print_configuration(options, loaded); }
  int operator()(const cli::PolicyOptions& options) const { return policy(options, loaded.config.policy); }
  int operator()(const cli::BackupOptions& options) const { return back_up(options, loaded.config); }
  int operator()(const cli::RestoreOptions& options) const { return restore(options, loaded.config); }
  int operator()(const cli::VersionOptions& options) const {
    return set_up_log(loaded, true), print_version(options, loaded.config);
  }
  int operator()(const cli::EngineCommand& command) const {
    return set_up_log(loaded, true), engine_command(command, loaded.config);
  }
  int operator()(const cli::CompletionOptions&) const { return print_completion(); }
};

int run(const std::vector<std::string>& arguments) {
  const auto line = cli::parse_command_line(arguments);
  if (!line) {
    (line.error().code == cli::kExitDone ? std::cout : std::cerr) << line.error().text << std::flush;
    return line.error().code;
  }
  const auto loaded = load(*line);
  if (!loaded) {
    std::cerr << "trawl: " << loaded.error().message << std::endl;
    return cli::kExitUsage;
  }
  return std::visit(Runner{*loaded}, line->command);
}

// Each child, transfer and client takes some, and the soft limit of most systems is 1,024.
void raise_descriptor_limit() {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return;
  limit.rlim_cur = limit.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &limit);
}

}  // namespace
}  // namespace trawl::server

int main(int argc, char** argv) {
  std::signal(SIGPIPE, SIG_IGN);  // A peer that left is an error value, not the end of the process.
  trawl::server::raise_descriptor_limit();
  try {
    return trawl::server::run({argv + 1, argv + argc});
  } catch (const std::exception& error) {
    std::cerr << "trawl: " << error.what() << std::endl;
    return trawl::cli::kExitUsage;
  }
}
