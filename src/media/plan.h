#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/describe.h"
#include "base/json.h"

namespace trawl::media {

// What a file of a finished download is.
enum class Kind { video, audio, chapter, subtitle, transcript, thumbnail, info, description, nfo };

// One thing that has to be moved before post-processing can begin.
struct Transfer {
  Kind kind = Kind::video;
  std::string format_id;
  std::string protocol;  // yt-dlp's: "https", "m3u8_native", "http_dash_segments", ...
  std::string url;
  std::string ext;
  std::string language;              // Subtitles and audio tracks; may be empty.
  std::optional<std::int64_t> size;  // As far as the site says.
};
BOOST_DESCRIBE_STRUCT(Transfer, (), (kind, format_id, protocol, url, ext, language, size))

// What resolving a URL decided. Stored on the job, so that a crash or a pause goes on from here
// without asking the site again.
struct Plan {
  std::string extractor;
  std::string id;  // The site's id of the medium.
  std::string title;
  json::object info;  // yt-dlp's sanitised info dict, complete enough for process_ie_result.
  std::vector<Transfer> transfers;
  bool live = false;
  std::string engine_version;  // The yt-dlp that made it.
};
BOOST_DESCRIBE_STRUCT(Plan, (), (extractor, id, title, info, transfers, live, engine_version))

// One file in the work folder when a download is finished.
struct Produced {
  std::string name;  // Relative to the work folder, a single path segment.
  Kind kind = Kind::video;
  std::string language;
};
BOOST_DESCRIBE_STRUCT(Produced, (), (name, kind, language))

// How far a download is, over all its parts together.
struct Progress {
  std::int64_t downloaded_bytes = 0;
  std::optional<std::int64_t> total_bytes;  // May be an estimate.
  std::optional<double> speed;              // Bytes per second, smoothed.
  std::optional<double> eta;                // Seconds.
};
BOOST_DESCRIBE_STRUCT(Progress, (), (downloaded_bytes, total_bytes, speed, eta))

}  // namespace trawl::media

template <>
struct trawl::EnumText<trawl::media::Kind> {
  static constexpr std::pair<trawl::media::Kind, std::string_view> names[] = {
      {trawl::media::Kind::video, "video"},
      {trawl::media::Kind::audio, "audio"},
      {trawl::media::Kind::chapter, "chapter"},
      {trawl::media::Kind::subtitle, "subtitle"},
      {trawl::media::Kind::transcript, "transcript"},
      {trawl::media::Kind::thumbnail, "thumbnail"},
      {trawl::media::Kind::info, "info"},
      {trawl::media::Kind::description, "description"},
      {trawl::media::Kind::nfo, "nfo"}};
};
