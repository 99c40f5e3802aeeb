#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/describe.h"
#include "base/json.h"

namespace trawl::media {

// A cookie with the scope it was set for (RFC 6265). Sent only where the scope says.
struct Cookie {
  std::string name, value;
  std::string domain;  // Without a leading dot.
  bool host_only = false;
  std::string path = "/";
  bool secure = false;
};
BOOST_DESCRIBE_STRUCT(Cookie, (), (name, value, domain, host_only, path, secure))

struct ByteRange {
  std::int64_t first = 0;
  std::int64_t last = 0;  // Inclusive, as in HTTP.
};
BOOST_DESCRIBE_STRUCT(ByteRange, (), (first, last))

// One piece of a segmented part, in order; an init segment is simply the first one.
struct Segment {
  std::string url;
  std::optional<ByteRange> range;
  std::string key_url;  // AES-128 (RFC 8216 section 4.3.2.4) when key or key_url is not empty.
  std::string key;      // 32 hex digits.
  std::string iv;       // 32 hex digits.
};
BOOST_DESCRIBE_STRUCT(Segment, (), (url, range, key_url, key, iv))

// A promise of the engine's child: a file that yt-dlp takes for downloaded and that the server has
// to bring before post-processing can begin.
struct Part {
  std::string name;  // Of the file in the work folder; a single path segment.
  std::string format_id;
  std::map<std::string, std::string> headers;  // Sent with every request; never Cookie.
  std::vector<Cookie> cookies;
  std::string url;                   // A file in one piece; empty for a segmented part.
  std::optional<std::int64_t> size;  // As far as the site says; a hint, not a check.
  std::int64_t chunk_size = 0;       // Ranges must not be longer (http_chunk_size); 0: any length.
  std::vector<Segment> segments;
  bool small = false;     // A subtitle or a picture: not worth a connection of its own.
  bool optional = false;  // The download is complete without it.
  bool digest = false;    // Nothing is expected to change the file later, so it is hashed as it comes.
};
BOOST_DESCRIBE_STRUCT(Part, (),
                      (name, format_id, headers, cookies, url, size, chunk_size, segments, small, optional,
                       digest))

}  // namespace trawl::media
