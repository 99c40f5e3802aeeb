#include "downloads/engine_request.h"

#include "base/text.h"

namespace trawl::downloads {

engine::Request engine_request(const media::DownloadRequest& request) {
  engine::Request out;
  const bool audio = media::wants_audio_only(request);
  out.url = std::string(trim(request.url));
  out.format = media::format_selector(request);
  if (audio) {
    out.audio_format = to_text(request.audio_format);
    out.audio_quality = request.audio_quality == "best" ? "0" : request.audio_quality;
  } else {
    out.container = to_text(request.video_format);
  }
  if (request.download_subtitles || request.embed_subtitles) {
    out.subtitle_languages = request.subtitle_languages;
    out.subtitle_format = to_text(request.subtitle_format);
    out.automatic_subtitles = request.auto_subtitles;
    out.write_subtitles = request.download_subtitles;
    out.embed_subtitles = request.embed_subtitles && !audio;
  }
  out.write_thumbnail = request.write_thumbnail;
  out.embed_thumbnail = request.embed_thumbnail;
  if (request.thumbnail_format != media::ThumbnailFormat::keep)
    out.thumbnail_format = to_text(request.thumbnail_format);
  out.embed_metadata = request.embed_metadata;
  out.write_info_json = request.write_info_json;
  out.impersonate = request.impersonate.value_or("");
  return out;
}

}  // namespace trawl::downloads
