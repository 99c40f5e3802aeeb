#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/describe.h"
#include "base/json.h"

namespace trawl::downloads {

// What is known about a medium, in the API's words (API.md 1.2).
struct VideoMetadata {
  std::optional<std::string> id, title, description, uploader, uploader_id, upload_date, channel, channel_id;
  std::optional<double> duration;  // Seconds.
  std::optional<std::int64_t> view_count, like_count, comment_count, width, height;
  std::optional<double> fps;
  std::optional<std::string> vcodec, acodec, thumbnail, webpage_url, extractor, playlist;
  std::optional<std::int64_t> playlist_index;
  std::vector<std::string> categories, tags;
};
BOOST_DESCRIBE_STRUCT(VideoMetadata, (),
                      (id, title, description, uploader, uploader_id, upload_date, channel, channel_id,
                       duration, view_count, like_count, comment_count, width, height, fps, vcodec, acodec,
                       thumbnail, webpage_url, extractor, playlist, playlist_index, categories, tags))

// Reads yt-dlp's info dict. Sites fill it loosely, so a member of an unexpected type is left out.
[[nodiscard]] VideoMetadata read_metadata(const json::object& info);

}  // namespace trawl::downloads
