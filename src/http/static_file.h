#pragma once

#include <filesystem>
#include <string>

#include "base/clock.h"
#include "http/message.h"

namespace trawl::http {

struct FileFacts {
  std::filesystem::path path;
  std::uint64_t size = 0;
  std::string etag;  // Strong, without quotes.
  SystemTime modified;
  std::string mime_type;
  std::string download_name;  // For Content-Disposition (RFC 6266, with filename* for non-ASCII).
  bool inline_view = false;
};

// Answers GET or HEAD for a file by RFC 9110: Range (single ranges; several or malformed ones give
// the whole file), If-Range, If-None-Match, If-Modified-Since, If-Match, If-Unmodified-Since, 416 with
// Content-Range. A caller that shows foreign files inline sets "Content-Security-Policy: sandbox" on
// the answer: HTML and SVG run scripts.
[[nodiscard]] Response serve_file(const Request& request, const FileFacts& file);

// "video/mp4" for "x.mp4"; application/octet-stream when unknown.
[[nodiscard]] std::string mime_type_of(const std::filesystem::path& name);

}  // namespace trawl::http
