#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace trawl::updates {

// A yt-dlp that somebody offers.
struct Release {
  std::string version;    // "2026.08.19"
  std::string program;    // Address of the zip file that Python runs.
  std::string checksums;  // Address of the list that has its SHA-256.
  friend bool operator==(const Release&, const Release&) = default;
};

inline constexpr std::string_view kProgram = "yt-dlp";
inline constexpr std::string_view kChecksums = "SHA2-256SUMS";

// Reads an index: GitHub's answer about a release, or one like it, with `tag_name` and `assets` that have
// `name` and `browser_download_url`. Errc::invalid, reason "bad_release_index".
[[nodiscard]] Result<Release> read_index(std::string_view text);

// The SHA-256 of `name` in lines of "HEX  NAME", as sha256sum writes them. Errc::invalid, reason
// "no_checksum".
[[nodiscard]] Result<std::string> checksum_of(std::string_view list, std::string_view name);

// A version names a folder: digits and dots, as yt-dlp's do.
[[nodiscard]] bool is_version(std::string_view text);

// Whether `version` came out after `other`; anything came out after nothing.
[[nodiscard]] bool is_newer(std::string_view version, std::string_view other);

}  // namespace trawl::updates
