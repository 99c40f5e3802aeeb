#pragma once

#include <string>
#include <string_view>

namespace trawl {

// Takes the first character off well-formed, non-empty UTF-8.
[[nodiscard]] char32_t take_character(std::string_view& text);

// `text` as well-formed UTF-8 that is shown where it stands and as it reads: `replacement` for each control
// character and line break, and nothing for the marks that reorder a line ("exe<U+202E>gpj" would read
// "exejpg").
[[nodiscard]] std::string without_controls(std::string_view text, std::string_view replacement);

}  // namespace trawl
