#pragma once

#include <map>
#include <string>

namespace trawl::cli {

// How lines may look.
struct Style {
  bool colour = false;
  bool unicode = false;  // Otherwise ASCII only.
  friend bool operator==(const Style&, const Style&) = default;
};

struct Terminal {
  bool interactive = false;  // Lines can be drawn over.
  Style style;
  friend bool operator==(const Terminal&, const Terminal&) = default;
};

// What the environment says about an output that is a terminal, or not. NO_COLOR and TERM=dumb are
// respected; UTF-8 is a matter of LC_ALL, LC_CTYPE and LANG, the first that is set.
[[nodiscard]] Terminal describe_terminal(const std::map<std::string, std::string>& environment,
                                         bool is_terminal);

struct Size {
  int columns = 80;
  int rows = 24;
};

// The terminal behind a descriptor, as it is now; the default size when it does not say.
[[nodiscard]] Size terminal_size(int descriptor);

}  // namespace trawl::cli
