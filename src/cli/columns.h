#pragma once

#include <string>
#include <string_view>

namespace trawl::cli {

// `text` as one harmless line: well-formed UTF-8 without control characters, so that a title cannot
// move the cursor, and without marks that reorder the line around it. With `ascii`, every other
// character becomes '?'.
[[nodiscard]] std::string printable(std::string_view text, bool ascii = false);

// The columns a terminal needs for a printable text, colour sequences not counted. East Asian wide
// characters and most emoji take two, combining marks none.
[[nodiscard]] int columns(std::string_view text);

// `text` cut or filled with spaces to exactly `width` columns. A cut ends in `ellipsis`.
[[nodiscard]] std::string fit(std::string_view text, int width, std::string_view ellipsis);

}  // namespace trawl::cli
