#include "api/preview_views.h"

namespace trawl::api {
namespace {

std::vector<EntryView> entry_views(const std::vector<media::Entry>& entries) {
  std::vector<EntryView> out;
  for (const media::Entry& entry : entries) {
    out.push_back({.id = entry.id,
                   .title = entry.title,
                   .url = entry.url,
                   .duration = entry.duration,
                   .view_count = entry.view_count,
                   .uploader = known(entry.uploader),
                   .upload_date = known(entry.upload_date),
                   .thumbnail = known(entry.thumbnail),
                   .playlist_index = entry.index,
                   .extractor = entry.extractor});
  }
  return out;
}

// The filters that were given, as they were understood.
json::object given(const downloads::Selection& selection) {
  json::object out;
  const json::value all = encode(selection);
  for (const auto& [name, value] : all.as_object()) {
    if (!value.is_null() && value != json::value(false)) out[name] = value;
  }
  return out;
}

}  // namespace

PlaylistPreview playlist_preview(const std::string& url, const downloads::Preview& found,
                                 const PageRequest& paging) {
  const media::Playlist& playlist = found.playlist;
  PlaylistPreview view{page_numbers(paging, found.matching)};
  view.url = view.playlist_url = url;
  view.id = view.playlist_id = playlist.id;
  view.title = view.playlist_title = playlist.title;
  view.uploader = view.playlist_uploader =
      known(playlist.uploader.empty() ? playlist.channel : playlist.uploader);
  view.uploader_id = known(playlist.uploader_id);
  view.description = known(playlist.description);
  view.thumbnail = known(playlist.thumbnail);
  view.total_items = view.total_videos = found.matching;
  view.items = view.videos = entry_views(found.entries);
  view.extractor = playlist.extractor;
  return view;
}

ChannelInfo channel_info(const std::string& url, const downloads::Preview& found,
                         const downloads::Selection& selection, const PageRequest& paging) {
  const media::Playlist& playlist = found.playlist;
  const auto first = [](std::initializer_list<const std::string*> texts) {
    for (const std::string* text : texts)
      if (!text->empty()) return *text;
    return std::string();
  };
  ChannelInfo view{page_numbers(paging, found.matching)};
  view.url = url;
  view.channel_id = first({&playlist.channel_id, &playlist.uploader_id, &playlist.id});
  view.channel_name = first({&playlist.channel, &playlist.uploader, &playlist.title});
  view.description = known(playlist.description);
  view.subscriber_count = playlist.channel_follower_count;
  view.video_count = view.total_videos = found.total;
  view.filtered_video_count = found.matching;
  view.videos = entry_views(found.entries);
  view.filters_applied = given(selection);
  view.channel = {.id = view.channel_id,
                  .name = view.channel_name,
                  .url = first({&playlist.channel_url, &playlist.webpage_url, &url}),
                  .description = view.description,
                  .thumbnail = known(playlist.thumbnail),
                  .subscriber_count = view.subscriber_count,
                  .video_count = found.total};
  view.extractor = playlist.extractor;
  return view;
}

}  // namespace trawl::api
