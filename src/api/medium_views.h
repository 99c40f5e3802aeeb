#pragma once

#include "api/preview_views.h"
#include "downloads/medium.h"

namespace trawl::api {

// API.md 1.2; the names are those of the first project.
struct FormatGroups {
  std::vector<downloads::FormatInfo> combined, video_only, audio_only;
};
BOOST_DESCRIBE_STRUCT(FormatGroups, (), (combined, video_only, audio_only))

struct FormatsView {
  std::string url;
  std::optional<std::string> title, thumbnail, uploader;
  std::optional<double> duration;
  FormatGroups formats;
  std::optional<std::string> best_video_format, best_audio_format, recommended_format;
  std::string extractor;
};
BOOST_DESCRIBE_STRUCT(FormatsView, (),
                      (url, title, thumbnail, uploader, duration, formats, best_video_format,
                       best_audio_format, recommended_format, extractor))

// Of one medium, or of a playlist with a page of its entries.
struct MetadataView : PageNumbers {
  std::string url;
  std::optional<std::string> id, title, uploader_url, channel_id, channel_url;
  downloads::VideoMetadata metadata;
  std::int64_t formats_available = 0;
  std::vector<downloads::FormatInfo> formats;
  bool is_playlist = false, is_live = false;
  std::optional<std::int64_t> playlist_count, matching_count;
  std::vector<EntryView> entries;
  std::vector<std::string> subtitles_available;  // Languages.
  std::map<std::string, std::vector<std::string>> subtitles, automatic_captions;
  std::string extractor;
  SystemTime extracted_at;
};
BOOST_DESCRIBE_STRUCT(MetadataView, (PageNumbers),
                      (url, id, title, uploader_url, channel_id, channel_url, metadata, formats_available,
                       formats, is_playlist, is_live, playlist_count, matching_count, entries,
                       subtitles_available, subtitles, automatic_captions, extractor, extracted_at))

// The shape of the second project.
struct InfoView {
  std::string url;
  downloads::VideoMetadata metadata;
  std::vector<downloads::FormatInfo> available_formats;
  std::string recommended_quality;
};
BOOST_DESCRIBE_STRUCT(InfoView, (), (url, metadata, available_formats, recommended_quality))

[[nodiscard]] FormatsView formats_view(std::string url, const downloads::Medium& medium);
[[nodiscard]] MetadataView metadata_view(std::string url, const downloads::Medium& medium, SystemTime now);
[[nodiscard]] MetadataView metadata_view(std::string url, const downloads::Preview& found,
                                         const PageRequest& paging, SystemTime now);
[[nodiscard]] InfoView info_view(std::string url, const downloads::Medium& medium);

// One line of CSV (RFC 4180) for each object after a line with the names of the first one's members. Lists
// are joined with "; ". What a spreadsheet would take for a formula is made text.
[[nodiscard]] std::string csv_of(const std::vector<json::object>& rows);

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::FormatsView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::MetadataView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::InfoView> {
  static json::value make();
};
