#include "downloads/engine_request.h"

#include "base/text.h"

namespace trawl::downloads {
namespace {

void add_subtitles(const media::DownloadRequest& request, bool audio, engine::Request& out) {
  if (!media::wants_subtitles(request)) return;
  const bool text_only = request.subtitle_format == media::SubtitleFormat::txt;
  out.transcript = request.transcript || request.transcript_only || (text_only && request.download_subtitles);
  out.transcript_only = request.transcript_only;
  out.transcript_paragraphs = request.transcript_paragraphs;
  out.transcript_timestamps = request.transcript_timestamps;
  out.subtitle_languages = request.subtitle_languages;
  // Who wants to read takes what there is.
  out.automatic_subtitles = request.auto_subtitles || request.transcript || request.transcript_only;
  out.translated_subtitles = request.translated_subtitles;
  out.automatic_subtitles |= request.translated_subtitles;
  out.embed_subtitles = request.embed_subtitles && !audio && !request.transcript_only;
  out.write_subtitles = request.download_subtitles && !text_only;
  if ((out.write_subtitles || out.embed_subtitles) && !text_only)
    out.subtitle_format = to_text(request.subtitle_format);
}

}  // namespace

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
  add_subtitles(request, audio, out);
  out.write_thumbnail = request.write_thumbnail;
  out.all_thumbnails = request.all_thumbnails;
  out.embed_thumbnail = request.embed_thumbnail;
  if (request.thumbnail_format != media::ThumbnailFormat::keep)
    out.thumbnail_format = to_text(request.thumbnail_format);
  out.embed_metadata = request.embed_metadata;
  out.embed_chapters = request.embed_chapters.value_or(request.embed_metadata);
  out.split_chapters = request.split_chapters;
  out.write_info_json = request.write_info_json;
  out.write_description = request.write_description;
  out.write_nfo = request.write_nfo;
  out.sponsorblock_mark = request.sponsorblock_mark;
  out.sponsorblock_remove = request.sponsorblock_remove;
  out.section_start = request.section_start;
  out.section_end = request.section_end;
  out.section_chapter = request.section_chapter.value_or("");
  out.precise_cuts = request.precise_cuts;
  out.live_from_start = request.live_from_start;
  out.impersonate = request.impersonate.value_or("");
  out.geo_bypass = request.geo_bypass;
  out.geo_bypass_country = request.geo_bypass_country.value_or("");
  out.sleep_interval = request.sleep_interval.value_or(0);
  return out;
}

}  // namespace trawl::downloads
