#pragma once

#include <memory>
#include <string>

#include <CLI/CLI.hpp>

#include "cli/options.h"

namespace trawl::cli {

// What CLI11 writes into while it parses.
struct Parsed {
  GetOptions get;
  ConfigOptions config;
  PolicyOptions policy;
  BackupOptions backup;
  RestoreOptions restore;
  VersionOptions version;
  EngineCommand engine;
  std::string subtitles;  // As given: "en,de".
  bool no_metadata = false;
  bool version_flag = false;
  std::string shell;
  std::string config_file;
};

// The whole command line but for --section.name, bound to `parsed`, which must outlive it.
[[nodiscard]] std::unique_ptr<CLI::App> make_app(Parsed& parsed);

}  // namespace trawl::cli
