#include "cli/options.h"

#include <regex>

#include <fmt/format.h>

#include "base/text.h"
#include "cli/command_app.h"

namespace trawl::cli {
namespace {

constexpr std::size_t kMaxLanguages = 20;

std::unexpected<Exit> usage(std::string_view what, std::string_view command = {}) {
  return std::unexpected(
      Exit{kExitUsage, fmt::format("trawl: {}\n`trawl {}{}--help` tells what is possible.\n", what, command,
                                   command.empty() ? "" : " ")});
}

// The name in "--section.name" or "--section.name=value"; empty for any other argument.
std::string_view setting_name(std::string_view argument) {
  if (!argument.starts_with("--")) return {};
  argument = argument.substr(2, argument.find('=') - 2);
  const auto plain = [](unsigned char c) {
    return c < 0x80 && (std::isalnum(c) != 0 || c == '_' || c == '.' || c == '-');
  };
  return argument.contains('.') && std::ranges::all_of(argument, plain) ? argument : std::string_view{};
}

struct Separated {
  std::vector<std::string> rest;
  std::vector<std::pair<std::string, std::string>> settings;
};

// Takes the settings out, as which ones there are is not known here.
std::expected<Separated, Exit> separate(const std::vector<std::string>& arguments) {
  Separated out;
  auto at = arguments.begin();
  for (; at != arguments.end() && *at != "--"; ++at) {
    const std::string_view name = setting_name(*at);
    if (name.empty()) {
      out.rest.push_back(*at);
    } else if (const auto equals = at->find('='); equals != std::string::npos) {
      out.settings.emplace_back(name, at->substr(equals + 1));
    } else if (const auto next = std::next(at); next != arguments.end() && !next->starts_with("--")) {
      out.settings.emplace_back(name, *next);
      at = next;
    } else {
      return usage(fmt::format("{} needs a value", *at));
    }
  }
  out.rest.insert(out.rest.end(), at, arguments.end());
  return out;
}

std::expected<std::vector<std::string>, Exit> languages_of(const std::string& text) {
  static const std::regex known("[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*|all");
  std::vector<std::string> out;
  for (const std::string_view part : split(text, ',')) {
    out.emplace_back(trim(part));
    if (out.back().size() > 64 || !std::regex_match(out.back(), known)) {
      return usage(fmt::format("--subs: '{}' is not a language such as en, pt-BR or all", out.back()), "get");
    }
  }
  if (out.size() > kMaxLanguages)
    return usage(fmt::format("--subs: more than {} languages", kMaxLanguages), "get");
  return out;
}

// What a command line without a command was meant to be.
std::unexpected<Exit> no_command(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return std::unexpected(Exit{kExitUsage, app.help()});
  const std::string& first = arguments.front();
  if (first.contains("://")) return usage(fmt::format("a command is missing: trawl get {}", first));
  return usage(first.starts_with('-') ? fmt::format("a command is missing before {}", first)
                                      : fmt::format("there is no command '{}'", first));
}

std::expected<CommandLine, Exit> command_of(const CLI::App& command, Parsed& parsed) {
  CommandLine out;
  if (!parsed.config_file.empty()) out.config_file = parsed.config_file;
  const std::string& name = command.get_name();
  if (name == "get") {
    parsed.get.metadata = !parsed.no_metadata;
    if (command.count("--subs") > 0) {
      auto languages = languages_of(parsed.subtitles);
      if (!languages) return std::unexpected(languages.error());
      parsed.get.subtitle_languages = std::move(*languages);
    }
    out.command = std::move(parsed.get);
  } else if (name == "serve") {
    out.command = ServeOptions{};
  } else if (name == "config") {
    out.command = parsed.config;
  } else if (name == "policy") {
    out.command = std::move(parsed.policy);
  } else if (name == "backup") {
    out.command = std::move(parsed.backup);
  } else if (name == "restore") {
    out.command = std::move(parsed.restore);
  } else if (name == "version") {
    out.command = parsed.version;
  } else if (name == "engine") {
    out.command = parsed.engine;
  } else {
    out.command = CompletionOptions{};
  }
  return out;
}

}  // namespace

std::expected<CommandLine, Exit> parse_command_line(const std::vector<std::string>& arguments) {
  auto separated = separate(arguments);
  if (!separated) return std::unexpected(separated.error());

  Parsed parsed;
  const auto app = make_app(parsed);
  const auto chosen = [&]() -> const CLI::App* {
    const auto commands = app->get_subcommands();
    return commands.empty() ? nullptr : commands.front();
  };
  try {
    app->parse(std::vector<std::string>(separated->rest.rbegin(), separated->rest.rend()));
  } catch (const CLI::CallForHelp&) {
    const CLI::App* command = chosen();
    return std::unexpected(Exit{kExitDone, command ? command->help("trawl") : app->help()});
  } catch (const CLI::ParseError& error) {
    if (const CLI::App* command = chosen()) return usage(error.what(), command->get_name());
    return no_command(*app, separated->rest);
  }
  const CLI::App* command = chosen();
  if (!command && !parsed.version_flag) return no_command(*app, arguments);

  auto out = command ? command_of(*command, parsed) : CommandLine{.command = VersionOptions{}};
  if (out) out->settings = std::move(separated->settings);
  return out;
}

}  // namespace trawl::cli
