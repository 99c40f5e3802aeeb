#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl::media {

// Values for the variables of a path template, by name ("title", "id", "ext", ...). A variable
// without a value becomes "NA", as yt-dlp does.
using TemplateValues = std::map<std::string, std::string, std::less<>>;

inline constexpr std::string_view kDefaultTemplate = "videos/{safe_title}-{id}.{ext}";

// Says what is wrong with a template, or nothing. Templates come from outside: `{name}`,
// `{name:03d}`, `%(name)s` and `%(name)03d` of the known names; relative; no empty, "." or ".."
// segments; no control characters; at most 1024 bytes.
[[nodiscard]] std::optional<std::string> check_path_template(std::string_view text);

// Expands a checked template into a relative path of safe segments. Values are cleaned so that none
// can add a segment, climb, or hide a file; a segment is at most 200 bytes. The path ends in
// ".{ext}" whatever the template says.
[[nodiscard]] Result<std::string> expand_path_template(std::string_view text, const TemplateValues& values);

// `text` as one path segment: separators, control and reserved characters replaced by "_", valid
// UTF-8, no leading dots or dashes, no trailing dots or spaces; never empty.
[[nodiscard]] std::string safe_segment(std::string_view text);

// The same with white space and ASCII punctuation replaced by "_", at most 150 bytes.
[[nodiscard]] std::string safe_title(std::string_view text);

}  // namespace trawl::media
