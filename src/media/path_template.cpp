#include "media/path_template.h"

#include <array>
#include <cctype>
#include <charconv>
#include <vector>

#include <fmt/format.h>

#include "base/text.h"
#include "base/unicode.h"
#include "media/options.h"

namespace trawl::media {
namespace {

constexpr std::size_t kMaxSegment = 200;

constexpr std::array<std::string_view, 16> kNames{
    "id",     "title",    "safe_title",     "ext",     "uploader",   "date",     "upload_date", "today",
    "random", "playlist", "playlist_index", "channel", "channel_id", "batch_id", "extractor",   "height"};

bool known_name(std::string_view name) {
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end();
}

// A piece of a template: literal text, or a variable with an optional zero-padded width.
struct Piece {
  std::string text;
  bool variable = false;
  int width = 0;
};

// "03d", "d" or "s" or nothing; the width, or nothing when it is none of these.
std::optional<int> parse_width(std::string_view spec) {
  if (spec.empty() || spec == "s" || spec == "d") return 0;
  if (!spec.ends_with('d')) return std::nullopt;
  spec.remove_suffix(1);
  int width = 0;
  const auto [end, error] = std::from_chars(spec.data(), spec.data() + spec.size(), width);
  if (error != std::errc{} || end != spec.data() + spec.size() || width < 0 || width > 20)
    return std::nullopt;
  return width;
}

std::expected<Piece, std::string> make_variable(std::string_view name, std::string_view spec) {
  if (!known_name(name))
    return std::unexpected(
        fmt::format("'{}' is not a known variable; known are {}", name, fmt::join(kNames, ", ")));
  const auto width = parse_width(spec);
  if (!width) return std::unexpected(fmt::format("'{}' is not a format for '{}'; use 03d or s", spec, name));
  return Piece{std::string(name), true, *width};
}

// `{name:spec}` at the start of `rest`, which is consumed.
std::expected<Piece, std::string> take_braces(std::string_view& rest) {
  const auto end = rest.find('}');
  if (end == std::string_view::npos) return std::unexpected("has a '{' without '}'");
  const std::string_view inner = rest.substr(1, end - 1);
  rest.remove_prefix(end + 1);
  const auto colon = inner.find(':');
  return make_variable(inner.substr(0, colon),
                       colon == std::string_view::npos ? "" : inner.substr(colon + 1));
}

// `%(name)03d` at the start of `rest`, which is consumed.
std::expected<Piece, std::string> take_percent(std::string_view& rest) {
  const auto close = rest.find(')');
  if (!rest.starts_with("%(") || close == std::string_view::npos)
    return std::unexpected("has a '%' that is not %(name)s");
  const std::string_view name = rest.substr(2, close - 2);
  std::size_t end = close + 1;
  while (end < rest.size() && std::isdigit(static_cast<unsigned char>(rest[end]))) ++end;
  if (end >= rest.size() || (rest[end] != 's' && rest[end] != 'd'))
    return std::unexpected(fmt::format("%({}) must be followed by s or d", name));
  const std::string_view spec = rest.substr(close + 1, end - close);
  rest.remove_prefix(end + 1);
  return make_variable(name, spec);
}

std::expected<std::vector<Piece>, std::string> parse(std::string_view text) {
  std::vector<Piece> pieces;
  while (!text.empty()) {
    if (text.front() == '{' || text.front() == '%') {
      auto piece = text.front() == '{' ? take_braces(text) : take_percent(text);
      if (!piece) return std::unexpected(piece.error());
      pieces.push_back(std::move(*piece));
      continue;
    }
    const auto end = text.find_first_of("{%");
    pieces.push_back({std::string(text.substr(0, end))});
    text.remove_prefix(end == std::string_view::npos ? text.size() : end);
  }
  return pieces;
}

std::optional<std::string> check_segments(std::string_view text) {
  for (const std::string_view segment : split(text, '/')) {
    if (segment.empty()) return "must not have empty path segments";
    if (segment == "." || segment == "..") return "must not have '.' or '..' segments";
  }
  return std::nullopt;
}

std::string pad(const std::string& value, int width) {
  const auto size = static_cast<int>(value.size());
  return size < width ? std::string(static_cast<std::size_t>(width - size), '0') + value : value;
}

std::string value_of(const Piece& piece, const TemplateValues& values) {
  if (piece.text == "safe_title") {
    const auto title = values.find("title");
    return safe_title(title == values.end() ? "" : title->second);
  }
  const auto found = values.find(piece.text);
  if (found == values.end() || found->second.empty()) return "NA";
  return pad(safe_segment(found->second), piece.width);
}

// Shortens a file name to kMaxSegment bytes without losing its extension.
std::string fit(std::string_view name, std::string_view extension) {
  if (name.size() + extension.size() <= kMaxSegment) return std::string(name) + std::string(extension);
  return std::string(truncate_utf8(name, kMaxSegment - extension.size())) + std::string(extension);
}

}  // namespace

std::optional<std::string> check_path_template(std::string_view text) {
  if (trim(text).empty()) return "must not be empty";
  if (text.size() > 1024) return "must be at most 1024 bytes";
  if (text.front() == '/') return "must be a relative path";
  for (const char c : text) {
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) return "must not contain control characters";
    if (c == '\\') return "must not contain backslashes";
  }
  if (auto wrong = check_segments(text)) return wrong;
  const auto pieces = parse(text);
  return pieces ? std::nullopt : std::optional(pieces.error());
}

Result<std::string> expand_path_template(std::string_view text, const TemplateValues& values) {
  if (auto wrong = check_path_template(text))
    return fail(Errc::invalid, "path_template " + *wrong, "invalid_path_template");
  std::string raw;
  for (const Piece& piece : *parse(text)) raw += piece.variable ? value_of(piece, values) : piece.text;

  const auto ext = values.find("ext");
  const std::string extension =
      ext == values.end() || ext->second.empty() ? "" : "." + safe_segment(ext->second);
  if (raw.ends_with(extension)) raw.resize(raw.size() - extension.size());

  const auto segments = split(raw, '/');
  std::string path;
  for (std::size_t i = 0; i + 1 < segments.size(); ++i) path += fit(safe_segment(segments[i]), "") + "/";
  return path + fit(safe_segment(segments.back()), extension);
}

std::string safe_segment(std::string_view text) {
  constexpr std::string_view kReserved = "/\\:*?\"<>|";
  std::string out;
  for (const char c : without_controls(text, "_"))
    out += kReserved.find(c) != std::string_view::npos ? '_' : c;
  const auto first = out.find_first_not_of(". -");
  if (first == std::string::npos) return "_";
  out.erase(0, first);
  out.erase(out.find_last_not_of(". ") + 1);
  return std::string(truncate_utf8(out, kMaxSegment));
}

std::string safe_title(std::string_view text) {
  std::string out;
  for (const char c : safe_segment(text)) {
    const auto byte = static_cast<unsigned char>(c);
    const bool keep = byte >= 0x80 || std::isalnum(byte) || c == '.' || c == '-';
    if (keep)
      out += c;
    else if (!out.ends_with('_'))
      out += '_';
  }
  out.erase(out.find_last_not_of("_") + 1);
  return out.empty() ? "_" : std::string(truncate_utf8(out, 150));
}

}  // namespace trawl::media

namespace trawl {
std::optional<std::string> check_path_template_field(std::string_view text) {
  return media::check_path_template(text);
}
}  // namespace trawl
