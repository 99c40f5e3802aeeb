#include "storage/path.h"

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::storage {
namespace {

constexpr std::size_t kMaxSegmentBytes = 255;

std::unexpected<Error> bad(std::string_view name, std::string_view why) {
  const std::string shown = to_valid_utf8(name.substr(0, 80));
  return fail(Errc::invalid, fmt::format("'{}' is not a file name that can be stored: {}", shown, why),
              "invalid_path");
}

// Where the extension of the last segment begins; the end of `path` if it has none.
std::size_t extension_at(std::string_view path) {
  const std::size_t slash = path.rfind('/');
  const std::size_t segment = slash == std::string_view::npos ? 0 : slash + 1;
  const std::size_t dot = path.rfind('.');
  return dot == std::string_view::npos || dot <= segment ? path.size() : dot;
}

}  // namespace

Result<void> check_path(std::string_view path) {
  if (path.size() > kMaxPathBytes) return bad(path, "it is longer than 1024 bytes");
  if (path.contains('\0')) return bad(path.substr(0, path.find('\0')), "it contains a NUL byte");
  if (to_valid_utf8(path) != path) return bad(path, "it is not UTF-8");
  for (const std::string_view segment : split(path, '/')) {
    if (segment.empty()) return bad(path, "it is absolute, empty or has an empty segment");
    if (segment == "." || segment == "..") return bad(path, "it contains '.' or '..'");
  }
  return {};
}

Result<void> check_segment(std::string_view name) {
  if (name.contains('/')) return bad(name, "it contains '/'");
  if (name.size() > kMaxSegmentBytes) return bad(name, "it is longer than 255 bytes");
  return check_path(name);
}

std::string candidate_path(std::string_view path, const JobId& job, int collisions) {
  if (collisions == 0) return std::string(path);
  constexpr std::size_t kTail = 24;  // Of the text form: random, unlike the time at its beginning.
  std::string suffix = "-" + job.str().substr(kTail, 8);
  if (collisions > 1) suffix += fmt::format("-{}", collisions);

  const std::size_t at = extension_at(path);
  const std::string_view extension = path.substr(at);
  if (suffix.size() + extension.size() >= kMaxPathBytes) return std::string(path.substr(0, at)) + suffix;
  const std::size_t room = kMaxPathBytes - suffix.size() - extension.size();
  return fmt::format("{}{}{}", truncate_utf8(path.substr(0, at), room), suffix, extension);
}

}  // namespace trawl::storage
