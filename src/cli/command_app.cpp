#include "cli/command_app.h"

namespace trawl::cli {
namespace {

constexpr const char* kSettings =
    "Any setting can be given as --section.name VALUE, for example --server.port 9000;\n"
    "`trawl config` lists them.\n";

constexpr const char* kMainFooter =
    "Try it:\n"
    "  trawl get https://example.com/watch/1       save a video here\n"
    "  trawl serve --server.port 9000              offer the API on port 9000\n"
    "  trawl config                                show every setting and who set it\n"
    "\n"
    "`trawl COMMAND --help` tells more about a command.\n"
    "Exit codes: 0 all is done, 1 a download failed, 2 the command line or the set-up is wrong.";

constexpr const char* kGetFooter =
    "Examples:\n"
    "  trawl get https://example.com/watch/1\n"
    "  trawl get -o Videos --quality 720p --subs en,de URL URL\n"
    "  trawl get --audio mp3 URL\n"
    "  trawl get --json URL | jq -r 'select(.event == \"completed\").files[]'\n"
    "\n"
    "Exit codes: 0 every download is done, 1 at least one failed, 2 nothing was tried.\n"
    "\n";

constexpr const char* kPolicyFooter =
    "Prints a line for each: \"allowed\" or the code of the refusal, what was asked, and why. Names are not\n"
    "resolved. A bare address is judged for port 443.\n"
    "\n"
    "Examples:\n"
    "  trawl policy https://example.com/ 10.0.0.5 '[fd00::1]:8443'\n"
    "  trawl policy --policy.allow_addresses 10.0.0.0/8:443 10.0.0.5\n"
    "\n"
    "Exit codes: 0 all are allowed, 1 at least one is refused, 2 the set-up is wrong.\n"
    "\n";

constexpr const char* kEngineFooter =
    "Releases lie in the folder engine of storage.dir; servers that use it follow within seconds.\n"
    "\n"
    "Examples:\n"
    "  trawl engine check       is there a newer one?\n"
    "  trawl engine update      fetch it, compare its checksum, try it, use it\n"
    "  trawl engine rollback    go back to the one before\n"
    "\n"
    "Exit codes: 0 done, 1 it failed and nothing has changed, 2 the set-up is wrong.\n"
    "\n";

// Prints "--option TYPE" alone: the descriptions say what CLI11 would add about it.
class PlainFormatter : public CLI::Formatter {
 public:
  std::string make_option_opts(const CLI::Option* option) const override {
    if (option->get_positional()) return option->get_expected_max() > 1 ? "..." : "";
    const std::string type = option->get_type_name();
    return option->get_expected_max() == 0 ? "" : " " + type.substr(0, type.find(':'));
  }
};

CLI::App* add_command(CLI::App& app, Parsed& parsed, const std::string& name, const std::string& about,
                      const std::string& footer) {
  CLI::App* command = app.add_subcommand(name, about);
  command
      ->add_option("--config", parsed.config_file,
                   "Settings; otherwise ./trawl.toml or /etc/trawl/trawl.toml, if there is one")
      ->type_name("FILE");
  command->footer("\n" + footer);
  return command;
}

void add_get(CLI::App& app, Parsed& parsed) {
  GetOptions& get = parsed.get;
  CLI::App* command = add_command(app, parsed, "get", "Download media, without a server",
                                  std::string(kGetFooter) + kSettings);
  command->add_option("URL", get.urls, "Pages or files to download")->required()->type_name("");
  command->add_option("-o,--output", get.directory, "Folder for the files [.]")->type_name("DIR");
  auto* quality =
      command
          ->add_option("--quality", get.quality,
                       "Highest picture: best, worst, 4320p, 2160p (4k), 1440p, 1080p, 720p, ... 144p [best]")
          ->type_name("QUALITY")
          ->check(CLI::IsMember({"best", "worst", "4320p", "2160p", "4k", "1440p", "1080p", "720p", "480p",
                                 "360p", "240p", "144p"}));
  command
      ->add_option("--audio", get.audio_format, "Only the sound, as mp3, m4a, flac, wav, opus, aac or vorbis")
      ->type_name("FORMAT")
      ->check(CLI::IsMember({"mp3", "m4a", "flac", "wav", "opus", "aac", "vorbis"}))
      ->excludes(quality);
  command->add_option("--subs", parsed.subtitles, "Subtitles in these languages: en,de or all")
      ->type_name("LANGUAGES");
  command->add_flag("--no-metadata", parsed.no_metadata,
                    "Do not write title, artist and chapters into the files");
  command->add_option("--cookies", get.cookies, "Cookies in Netscape format, for sites that want a login")
      ->type_name("FILE")
      ->check(CLI::ExistingFile);
  command->add_flag("--allow-private", get.allow_private,
                    "Reach addresses of private networks and of this machine");
  command->add_option("-j,--jobs", get.parallel, "Downloads at the same time [download.max_concurrent]")
      ->type_name("N")
      ->check(CLI::Range(1, 50));
  auto* as_json =
      command->add_flag("--json", get.json, "One JSON object per line: started, progress, completed, failed");
  command->add_flag("-q,--quiet", get.quiet, "Say nothing unless something fails")->excludes(as_json);
}

}  // namespace

std::unique_ptr<CLI::App> make_app(Parsed& parsed) {
  auto app = std::make_unique<CLI::App>(
      "Trawl turns a URL into stored media: from the command line or as a service.", "trawl");
  app->formatter(std::make_shared<PlainFormatter>());
  app->get_formatter()->column_width(30);
  app->footer(std::string("\n") + kMainFooter);
  app->add_flag("--version", parsed.version_flag, "Print the version");
  app->require_subcommand(0, 1);

  add_get(*app, parsed);
  add_command(*app, parsed, "serve", "Offer the REST and WebSocket API", kSettings);
  CLI::App* config =
      add_command(*app, parsed, "config", "Print the settings in effect and who set them", kSettings);
  auto* as_json = config->add_flag("--json", parsed.config.json, "As JSON");
  config->add_flag("--reference", parsed.config.reference, "Explain every setting, as Markdown")
      ->excludes(as_json);
  CLI::App* policy = add_command(*app, parsed, "policy", "Say which URLs and addresses downloads may reach",
                                 std::string(kPolicyFooter) + kSettings);
  policy->add_option("WHAT", parsed.policy.subjects, "URLs and addresses; - reads them from standard input")
      ->required()
      ->type_name("");
  CLI::App* backup =
      add_command(*app, parsed, "backup", "Copy the embedded database, also while a server runs", kSettings);
  backup->add_option("FILE", parsed.backup.file, "The copy; it must not exist")->required()->type_name("");
  CLI::App* restore = add_command(*app, parsed, "restore",
                                  "Make such a copy the database again, with no server running", kSettings);
  restore->add_option("FILE", parsed.restore.file, "The copy")->required()->type_name("");
  CLI::App* version =
      add_command(*app, parsed, "version", "Print the versions of Trawl and of what it uses", kSettings);
  version->add_flag("--json", parsed.version.json, "As JSON");
  CLI::App* engine =
      add_command(*app, parsed, "engine", "Show, update or take back the yt-dlp that servers use",
                  std::string(kEngineFooter) + kSettings);
  engine->add_option("ACTION", parsed.engine.action, "status, check, update or rollback [status]")
      ->type_name("")
      ->check(CLI::IsMember({"status", "check", "update", "rollback"}));
  engine->add_flag("--force", parsed.engine.force,
                   "Update even to a release that is older or was taken back");
  engine->add_flag("--json", parsed.engine.json, "As JSON");
  CLI::App* completion = app->add_subcommand("completion", "Print a completion script for a shell");
  completion->add_option("SHELL", parsed.shell, "bash")
      ->required()
      ->type_name("")
      ->check(CLI::IsMember({"bash"}));
  completion->footer("\nExample:\n  source <(trawl completion bash)");
  return app;
}

}  // namespace trawl::cli
