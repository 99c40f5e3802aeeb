#include "cli/terminal.h"

#include <sys/ioctl.h>

#include "base/text.h"

namespace trawl::cli {
namespace {

std::string value_of(const std::map<std::string, std::string>& environment, const std::string& name) {
  const auto found = environment.find(name);
  return found == environment.end() ? "" : found->second;
}

bool speaks_utf8(const std::map<std::string, std::string>& environment) {
  for (const char* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
    const std::string value = to_lower(value_of(environment, name));
    if (!value.empty()) return value.contains("utf-8") || value.contains("utf8");
  }
  return false;
}

}  // namespace

Terminal describe_terminal(const std::map<std::string, std::string>& environment, bool is_terminal) {
  const std::string term = value_of(environment, "TERM");
  Terminal out;
  out.interactive = is_terminal && !term.empty() && term != "dumb";
  out.style.colour = out.interactive && value_of(environment, "NO_COLOR").empty();
  out.style.unicode = speaks_utf8(environment);
  return out;
}

Size terminal_size(int descriptor) {
  winsize reported{};
  Size out;
  if (ioctl(descriptor, TIOCGWINSZ, &reported) != 0) return out;
  if (reported.ws_col > 0) out.columns = reported.ws_col;
  if (reported.ws_row > 0) out.rows = reported.ws_row;
  return out;
}

}  // namespace trawl::cli
