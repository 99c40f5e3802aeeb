#include "api/medium_views.h"

#include <fmt/format.h>

namespace trawl::api {
namespace {

std::optional<std::string> id_of(const downloads::FormatInfo* format) {
  return format ? std::optional(format->format_id) : std::nullopt;
}

std::string plain(const json::value& value) {
  if (value.is_null()) return "";
  if (const auto* text = value.if_string()) return std::string(*text);
  if (const auto* list = value.if_array()) {
    std::string out;
    for (const json::value& item : *list) out += (out.empty() ? "" : "; ") + plain(item);
    return out;
  }
  return json::serialize(value);
}

std::string cell(const json::value& value) {
  std::string text = plain(value);
  // Titles are foreign: "=cmd|..." would run when somebody opens the file.
  if (value.is_string() && !text.empty() && std::string_view("=+-@\t\r").contains(text.front()))
    text.insert(text.begin(), '\'');
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string quoted = "\"";
  for (const char c : text) quoted += c == '"' ? std::string("\"\"") : std::string(1, c);
  return quoted + '"';
}

}  // namespace

FormatsView formats_view(std::string url, const downloads::Medium& medium) {
  FormatsView view{.url = std::move(url),
                   .title = medium.metadata.title,
                   .thumbnail = medium.metadata.thumbnail,
                   .uploader = medium.metadata.uploader,
                   .duration = medium.metadata.duration,
                   .extractor = medium.metadata.extractor.value_or("")};
  for (const downloads::FormatInfo& format : medium.formats) {
    if (format.has_video() && format.has_audio()) view.formats.combined.push_back(format);
    if (format.has_video() && !format.has_audio()) view.formats.video_only.push_back(format);
    if (!format.has_video() && format.has_audio()) view.formats.audio_only.push_back(format);
  }
  const auto* both = downloads::best_format(medium.formats, true, true);
  const auto* video = downloads::best_format(medium.formats, true, false);
  const auto* audio = downloads::best_format(medium.formats, false, true);
  view.best_video_format = id_of(video ? video : both);
  view.best_audio_format = id_of(audio ? audio : both);
  view.recommended_format = video && audio ? std::optional(video->format_id + "+" + audio->format_id)
                                           : id_of(both    ? both
                                                   : video ? video
                                                           : audio);
  return view;
}

MetadataView metadata_view(std::string url, const downloads::Medium& medium, SystemTime now) {
  MetadataView view;
  view.url = std::move(url);
  view.id = medium.metadata.id;
  view.title = medium.metadata.title;
  view.uploader_url = medium.uploader_url;
  view.channel_id = medium.metadata.channel_id;
  view.channel_url = medium.channel_url;
  view.metadata = medium.metadata;
  view.formats_available = std::ssize(medium.formats);
  view.formats = medium.formats;
  view.is_live = medium.live;
  for (const auto& [language, kinds] : medium.subtitles) view.subtitles_available.push_back(language);
  view.subtitles = medium.subtitles;
  view.automatic_captions = medium.automatic_captions;
  view.extractor = medium.metadata.extractor.value_or("");
  view.extracted_at = now;
  return view;
}

MetadataView metadata_view(std::string url, const downloads::Preview& found, const PageRequest& paging,
                           SystemTime now) {
  const PlaylistPreview preview = playlist_preview(url, found, paging);
  MetadataView view;
  static_cast<PageNumbers&>(view) = preview;
  view.url = std::move(url);
  view.is_playlist = true;
  view.id = preview.id;
  view.title = preview.title;
  view.metadata.id = preview.id;
  view.metadata.title = preview.title;
  view.metadata.description = preview.description;
  view.metadata.uploader = preview.uploader;
  view.metadata.uploader_id = preview.uploader_id;
  view.metadata.thumbnail = preview.thumbnail;
  view.metadata.extractor = preview.extractor;
  if (!found.playlist.channel_id.empty()) view.channel_id = found.playlist.channel_id;
  if (!found.playlist.channel_url.empty()) view.channel_url = found.playlist.channel_url;
  view.playlist_count = found.total;
  view.matching_count = found.matching;
  view.entries = preview.items;
  view.extractor = preview.extractor;
  view.extracted_at = now;
  return view;
}

InfoView info_view(std::string url, const downloads::Medium& medium) {
  return {.url = std::move(url),
          .metadata = medium.metadata,
          .available_formats = medium.formats,
          .recommended_quality = downloads::recommended_quality(medium.formats)};
}

std::string csv_of(const std::vector<json::object>& rows) {
  std::string out;
  if (rows.empty()) return out;
  const auto line = [&](auto&& text_of) {
    std::string text;
    bool first = true;
    for (const auto& member : rows.front()) {
      text += (first ? "" : ",") + text_of(member.key());
      first = false;
    }
    out += text + "\r\n";
  };
  line([](std::string_view name) { return std::string(name); });
  for (const json::object& row : rows) {
    line([&](std::string_view name) {
      const json::value* value = row.if_contains(name);
      return value ? cell(*value) : std::string();
    });
  }
  return out;
}

}  // namespace trawl::api
