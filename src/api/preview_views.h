#pragma once

#include "api/common_views.h"
#include "api/paging.h"
#include "downloads/preview.h"

namespace trawl::api {

struct EntryView {
  std::string id, title, url;
  std::optional<double> duration;
  std::optional<std::int64_t> view_count;
  std::optional<std::string> uploader, upload_date, thumbnail;
  std::int64_t playlist_index = 0;
  std::string extractor;
};
BOOST_DESCRIBE_STRUCT(EntryView, (),
                      (id, title, url, duration, view_count, uploader, upload_date, thumbnail, playlist_index,
                       extractor))

struct PlaylistPreview : PageNumbers {
  std::string url, playlist_url;  // The same.
  std::string id, playlist_id;
  std::string title, playlist_title;
  std::optional<std::string> uploader, playlist_uploader, uploader_id, description, thumbnail;
  std::int64_t total_items = 0, total_videos = 0;  // The same: what the selection takes.
  std::vector<EntryView> items, videos;            // The same.
  std::string extractor;
};
BOOST_DESCRIBE_STRUCT(PlaylistPreview, (PageNumbers),
                      (url, playlist_url, id, playlist_id, title, playlist_title, uploader, playlist_uploader,
                       uploader_id, description, thumbnail, total_items, total_videos, items, videos,
                       extractor))

struct ChannelView {
  std::string id, name, url;
  std::optional<std::string> description, thumbnail;
  std::optional<std::int64_t> subscriber_count, video_count;
};
BOOST_DESCRIBE_STRUCT(ChannelView, (), (id, name, url, description, thumbnail, subscriber_count, video_count))

struct ChannelInfo : PageNumbers {
  std::string url, channel_id, channel_name;
  std::optional<std::string> description;
  std::optional<std::int64_t> subscriber_count;
  std::int64_t video_count = 0, total_videos = 0;  // The same.
  std::int64_t filtered_video_count = 0;
  std::vector<EntryView> videos;
  json::object filters_applied;
  ChannelView channel;
  std::string extractor;
};
BOOST_DESCRIBE_STRUCT(ChannelInfo, (PageNumbers),
                      (url, channel_id, channel_name, description, subscriber_count, video_count,
                       total_videos, filtered_video_count, videos, filters_applied, channel, extractor))

[[nodiscard]] PlaylistPreview playlist_preview(const std::string& url, const downloads::Preview& found,
                                               const PageRequest& paging);
[[nodiscard]] ChannelInfo channel_info(const std::string& url, const downloads::Preview& found,
                                       const downloads::Selection& selection, const PageRequest& paging);

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::api::PlaylistPreview> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::ChannelInfo> {
  static json::value make();
};
