#pragma once

#include <expected>
#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

namespace trawl::cli {

// Exit codes of the program.
inline constexpr int kExitDone = 0;
inline constexpr int kExitFailed = 1;  // A download failed.
inline constexpr int kExitUsage = 2;   // The command line or the set-up is wrong; nothing was tried.

// trawl get: downloads in this process, without a server.
struct GetOptions {
  std::vector<std::string> urls;
  std::filesystem::path directory = ".";
  std::string quality = "best";
  std::optional<std::string> audio_format;  // Given: only the audio, in this format.
  std::vector<std::string> subtitle_languages;
  bool metadata = true;
  bool allow_private = false;  // Reach private networks, whatever the policy says.
  bool json = false;
  bool quiet = false;
  std::optional<std::filesystem::path> cookies;
  std::optional<int> parallel;  // Otherwise download.max_concurrent.
};

struct ServeOptions {};

struct ConfigOptions {
  bool json = false;
  bool reference = false;
};

// trawl policy: what the settings say of URLs and addresses, without connecting anywhere.
struct PolicyOptions {
  std::vector<std::string> subjects;  // "-": one a line from standard input.
};

// trawl backup: copies the embedded database, also while a server uses it.
struct BackupOptions {
  std::filesystem::path file;
};

// trawl restore: makes such a copy the database again.
struct RestoreOptions {
  std::filesystem::path file;
};

struct VersionOptions {
  bool json = false;
};

// trawl engine status|check|update|rollback: the yt-dlp that servers of this storage folder use.
struct EngineCommand {
  std::string action = "status";
  bool force = false;  // Update to a release that is older or was taken back.
  bool json = false;
};

// trawl completion bash
struct CompletionOptions {};

struct CommandLine {
  std::variant<GetOptions, ServeOptions, ConfigOptions, PolicyOptions, BackupOptions, RestoreOptions,
               VersionOptions, EngineCommand, CompletionOptions>
      command = {};
  std::optional<std::filesystem::path> config_file = {};
  // --section.name VALUE, without dashes and in order; not yet matched with the keys there are.
  std::vector<std::pair<std::string, std::string>> settings = {};
};

// Nothing to do but to print `text`, to stdout if `code` is 0 and to stderr otherwise, and leave.
struct Exit {
  int code = kExitDone;
  std::string text;
};

// Reads the arguments after the program's name.
[[nodiscard]] std::expected<CommandLine, Exit> parse_command_line(const std::vector<std::string>& arguments);

}  // namespace trawl::cli
