#include "cli/completion.h"

#include <fmt/format.h>

#include "cli/command_app.h"

namespace trawl::cli {
namespace {

std::vector<std::string> flags_of(const CLI::App& command) {
  std::vector<std::string> out;
  for (const CLI::Option* option : command.get_options()) {
    for (const std::string& name : option->get_lnames()) out.push_back("--" + name);
  }
  return out;
}

std::string case_of(const CLI::App& command, const std::string& settings) {
  const bool configurable = command.get_option_no_throw("--config") != nullptr;
  return fmt::format("    {}) words=\"{}{}\" ;;\n", command.get_name(), fmt::join(flags_of(command), " "),
                     configurable ? settings : "");
}

}  // namespace

std::string bash_completion(const std::vector<std::string>& keys) {
  Parsed parsed;
  const auto app = make_app(parsed);
  std::string settings;
  for (const std::string& key : keys) settings += " --" + key;

  std::vector<std::string> commands;
  std::string cases;
  for (const CLI::App* command : app->get_subcommands(nullptr)) {
    commands.push_back(command->get_name());
    cases += case_of(*command, settings);
  }
  return fmt::format(
      "_trawl() {{\n"
      "  local current=${{COMP_WORDS[COMP_CWORD]}} words=\n"
      "  if [ \"$COMP_CWORD\" -eq 1 ]; then\n"
      "    words=\"{} {}\"\n"
      "  else case ${{COMP_WORDS[1]}} in\n"
      "{}"
      "  esac; fi\n"
      "  COMPREPLY=()\n"
      "  case $current in\n"
      "    -*) COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
      "    *) [ \"$COMP_CWORD\" -ne 1 ] || COMPREPLY=($(compgen -W \"$words\" -- \"$current\")) ;;\n"
      "  esac\n"
      "}}\n"
      "complete -o default -F _trawl trawl\n",
      fmt::join(commands, " "), fmt::join(flags_of(*app), " "), cases);
}

}  // namespace trawl::cli
