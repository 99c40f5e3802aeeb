#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/describe.h"
#include "base/json.h"

namespace trawl::media {

// The best picture that is not higher than this many lines; `audio` asks for sound only.
enum class Quality { best, worst, p4320, p2160, p1440, p1080, p720, p480, p360, p240, p144, audio };
enum class VideoFormat { mp4, mkv, webm, avi, mov, flv };
enum class AudioFormat { mp3, m4a, flac, wav, opus, aac, vorbis };
enum class SubtitleFormat { srt, vtt, ass, lrc, txt };
enum class ThumbnailFormat { keep, jpg, png, webp };

// What to make of one URL, in the words of the API.
struct DownloadOptions {
  Quality quality = Quality::best;
  std::optional<std::string> custom_format;
  VideoFormat video_format = VideoFormat::mp4;
  bool audio_only = false;
  AudioFormat audio_format = AudioFormat::mp3;
  std::string audio_quality = "192";
  bool download_subtitles = false;
  std::vector<std::string> subtitle_languages = {"en"};
  SubtitleFormat subtitle_format = SubtitleFormat::srt;
  bool embed_subtitles = false;
  bool auto_subtitles = false;
  bool translated_subtitles = false;
  bool transcript = false;
  bool transcript_only = false;
  bool transcript_paragraphs = true;
  bool transcript_timestamps = false;
  bool write_thumbnail = false;
  bool all_thumbnails = false;
  bool embed_thumbnail = false;
  ThumbnailFormat thumbnail_format = ThumbnailFormat::keep;
  bool embed_metadata = true;
  std::optional<bool> embed_chapters;
  bool split_chapters = false;
  bool write_info_json = false;
  bool write_description = false;
  bool write_nfo = false;
  std::vector<std::string> sponsorblock_mark, sponsorblock_remove;
  std::optional<double> section_start, section_end;
  std::optional<std::string> section_chapter;
  bool precise_cuts = false;
  bool live_from_start = false;
  std::optional<int> live_max_sec;
  std::optional<int> wait_for_live_sec;
  std::optional<std::string> path_template;
  std::optional<std::string> cookies_id;
  std::optional<int> timeout_sec;
  std::optional<std::string> webhook_url;
  std::optional<std::string> impersonate;
  bool geo_bypass = true;
  std::optional<std::string> geo_bypass_country;
  std::optional<double> sleep_interval;
  bool single_flight = true;
  std::optional<std::string> preset;  // Of a submission; its options are filled in before it is kept.
};
BOOST_DESCRIBE_STRUCT(DownloadOptions, (),
                      (quality, custom_format, video_format, audio_only, audio_format, audio_quality,
                       download_subtitles, subtitle_languages, subtitle_format, embed_subtitles,
                       auto_subtitles, translated_subtitles, transcript, transcript_only,
                       transcript_paragraphs, transcript_timestamps, write_thumbnail, all_thumbnails,
                       embed_thumbnail, thumbnail_format, embed_metadata, embed_chapters, split_chapters,
                       write_info_json, write_description, write_nfo, sponsorblock_mark, sponsorblock_remove,
                       section_start, section_end, section_chapter, precise_cuts, live_from_start,
                       live_max_sec, wait_for_live_sec, path_template, cookies_id, timeout_sec, webhook_url,
                       impersonate, geo_bypass, geo_bypass_country, sleep_interval, single_flight, preset))

// One URL and what to make of it: the body of POST /downloads, and what a job stores.
struct DownloadRequest : DownloadOptions {
  std::string url;
  int priority = 5;
  std::optional<SystemTime> scheduled_at, deadline;
  std::optional<int> max_retries;
};
BOOST_DESCRIBE_STRUCT(DownloadRequest, (DownloadOptions),
                      (url, priority, scheduled_at, deadline, max_retries))

// Whether captions are to be fetched, in whatever shape they are kept.
[[nodiscard]] bool wants_subtitles(const DownloadOptions& options);

// What is wrong between fields that are right one by one, or nothing.
[[nodiscard]] std::optional<std::string> check_together(const DownloadOptions& options);

// Whether only sound is wanted, by either of the two fields that can say so.
[[nodiscard]] bool wants_audio_only(const DownloadOptions& options);

// The yt-dlp format selector for `options` (API.md 2.2). Every alternative of a preset but the last
// holds to the preset's height; the last takes whatever a site with a single file has.
[[nodiscard]] std::string format_selector(const DownloadOptions& options);

// What a text field's value is refused for, or nothing.
[[nodiscard]] std::optional<std::string> check_custom_format(std::string_view text);
[[nodiscard]] std::optional<std::string> check_language(std::string_view text);
[[nodiscard]] std::optional<std::string> check_audio_quality(std::string_view text);
[[nodiscard]] std::optional<std::string> check_http_url(std::string_view text);
[[nodiscard]] std::optional<std::string> check_sponsorblock_mark(std::string_view text);
[[nodiscard]] std::optional<std::string> check_sponsorblock_remove(std::string_view text);
[[nodiscard]] std::optional<std::string> check_impersonate(std::string_view text);
[[nodiscard]] std::optional<std::string> check_country(std::string_view text);

}  // namespace trawl::media

namespace trawl {

template <>
struct EnumText<media::Quality> {
  using Q = media::Quality;
  static constexpr std::pair<Q, std::string_view> names[] = {
      {Q::best, "best"},       {Q::worst, "worst"}, {Q::p4320, "4320p"}, {Q::p4320, "8k"},
      {Q::p2160, "2160p"},     {Q::p2160, "4k"},    {Q::p2160, "4K"},    {Q::p1440, "1440p"},
      {Q::p1080, "1080p"},     {Q::p720, "720p"},   {Q::p480, "480p"},   {Q::p360, "360p"},
      {Q::p240, "240p"},       {Q::p144, "144p"},   {Q::audio, "audio"}, {Q::audio, "audio_only"},
      {Q::audio, "audio-only"}};
};
template <>
struct EnumText<media::VideoFormat> {
  using V = media::VideoFormat;
  static constexpr std::pair<V, std::string_view> names[] = {
      {V::mp4, "mp4"}, {V::mkv, "mkv"}, {V::webm, "webm"}, {V::avi, "avi"}, {V::mov, "mov"}, {V::flv, "flv"}};
};
template <>
struct EnumText<media::AudioFormat> {
  using A = media::AudioFormat;
  static constexpr std::pair<A, std::string_view> names[] = {
      {A::mp3, "mp3"},   {A::m4a, "m4a"}, {A::flac, "flac"},    {A::wav, "wav"},
      {A::opus, "opus"}, {A::aac, "aac"}, {A::vorbis, "vorbis"}};
};
template <>
struct EnumText<media::SubtitleFormat> {
  using S = media::SubtitleFormat;
  static constexpr std::pair<S, std::string_view> names[] = {
      {S::srt, "srt"}, {S::vtt, "vtt"}, {S::ass, "ass"}, {S::lrc, "lrc"}, {S::txt, "txt"}};
};
template <>
struct EnumText<media::ThumbnailFormat> {
  using T = media::ThumbnailFormat;
  static constexpr std::pair<T, std::string_view> names[] = {
      {T::keep, "keep"}, {T::jpg, "jpg"}, {T::jpg, "jpeg"}, {T::png, "png"}, {T::webp, "webp"}};
};

std::optional<std::string> check_path_template_field(std::string_view text);

template <>
struct Rules<media::DownloadOptions> {
  static constexpr FieldRule fields[] = {
      {.name = "quality",
       .doc = "The best picture not higher than this; 'audio' for sound only.",
       .example = "\"720p\""},
      {.name = "custom_format",
       .doc = "A yt-dlp format selector; overrides quality.",
       .min = 1,
       .max = 500,
       .example = "\"bestvideo[height<=720]+bestaudio/best\"",
       .check = media::check_custom_format},
      {.name = "video_format", .doc = "Container of the video file.", .example = "\"mp4\""},
      {.name = "audio_only", .doc = "Extract the sound into a file of audio_format.", .example = "false"},
      {.name = "audio_format", .doc = "Format of an extracted sound file.", .example = "\"mp3\""},
      {.name = "audio_quality",
       .doc = "Bitrate of an extracted sound file in kbit/s, or 'best'.",
       .example = "\"192\"",
       .check = media::check_audio_quality},
      {.name = "download_subtitles",
       .doc = "Keep subtitles as files beside the video.",
       .alias = "subtitles",
       .example = "true"},
      {.name = "subtitle_languages",
       .doc = "BCP 47 codes, or 'all'.",
       .max = 20,
       .alias = "subtitle_langs",
       .example = "[\"en\",\"pt-BR\"]",
       .check = media::check_language},
      {.name = "subtitle_format",
       .doc = "Subtitles are converted to this; 'txt' keeps only the transcript.",
       .example = "\"srt\""},
      {.name = "embed_subtitles",
       .doc = "Put the subtitles into the video file.",
       .alias = "embed_subs",
       .example = "false"},
      {.name = "auto_subtitles", .doc = "Also take subtitles the site made by machine.", .example = "false"},
      {.name = "translated_subtitles",
       .doc = "Also take machine translations the site offers.",
       .example = "false"},
      {.name = "transcript",
       .doc = "Keep the text of the subtitles, made by people or by machine, for reading (.txt).",
       .example = "true"},
      {.name = "transcript_only",
       .doc = "Fetch no video and no sound, only captions; implies transcript.",
       .example = "false"},
      {.name = "transcript_paragraphs",
       .doc = "Join the lines of a transcript into paragraphs.",
       .example = "true"},
      {.name = "transcript_timestamps",
       .doc = "Begin each paragraph or line of a transcript with its time.",
       .example = "false"},
      {.name = "write_thumbnail", .doc = "Keep the thumbnail as a file.", .example = "false"},
      {.name = "all_thumbnails", .doc = "Keep the thumbnail in every size the site has.", .example = "false"},
      {.name = "embed_thumbnail",
       .doc = "Put the thumbnail into the media file as cover.",
       .example = "false"},
      {.name = "thumbnail_format",
       .doc = "Thumbnails are converted to this; 'keep' leaves them.",
       .example = "\"jpg\""},
      {.name = "embed_metadata",
       .doc = "Write title, artist, date and chapters into the media file.",
       .example = "true"},
      {.name = "embed_chapters",
       .doc = "Write chapters into the media file; as embed_metadata when left out."},
      {.name = "split_chapters", .doc = "Also keep each chapter as a file of its own.", .example = "false"},
      {.name = "write_info_json",
       .doc = "Keep what yt-dlp knows of the medium as a JSON file.",
       .example = "false"},
      {.name = "write_description", .doc = "Keep the description as a text file.", .example = "false"},
      {.name = "write_nfo",
       .doc = "Keep an .nfo file for media servers such as Kodi and Jellyfin.",
       .example = "false"},
      {.name = "sponsorblock_mark",
       .doc = "Kinds of SponsorBlock segments that become chapters.",
       .max = 10,
       .example = "[\"sponsor\"]",
       .check = media::check_sponsorblock_mark},
      {.name = "sponsorblock_remove",
       .doc = "Kinds of SponsorBlock segments that are cut out.",
       .max = 10,
       .example = "[\"sponsor\"]",
       .check = media::check_sponsorblock_remove},
      {.name = "section_start",
       .doc = "Fetch only from here on, in seconds.",
       .min = 0,
       .max = 1'000'000,
       .example = "60"},
      {.name = "section_end",
       .doc = "Fetch only up to here, in seconds.",
       .min = 0,
       .max = 1'000'000,
       .example = "90.5"},
      {.name = "section_chapter",
       .doc = "Fetch only the first chapter whose title contains this.",
       .min = 1,
       .max = 200},
      {.name = "precise_cuts",
       .doc = "Cut at the exact time, converting the picture, and not at the key frame before it.",
       .example = "false"},
      {.name = "live_from_start",
       .doc = "Record a live stream from as early as the site still has it.",
       .example = "false"},
      {.name = "live_max_sec",
       .doc = "End the recording of a live stream after so long, and keep it.",
       .min = 1,
       .max = 172800},
      {.name = "wait_for_live_sec",
       .doc = "How long to wait for a live stream that has not begun.",
       .min = 1,
       .max = 1'209'600},
      {.name = "path_template",
       .doc = "Name of the stored file, with {title}, {id}, {ext} and others.",
       .min = 1,
       .max = 1024,
       .example = "\"videos/{safe_title}-{id}.{ext}\"",
       .check = check_path_template_field},
      {.name = "cookies_id", .doc = "Stored cookies to send to the site.", .max = 128, .alias = "cookies"},
      {.name = "timeout_sec",
       .doc = "The job fails when one attempt takes longer.",
       .min = 60,
       .max = 7200,
       .example = "1800"},
      {.name = "webhook_url",
       .doc = "Called when something happens to the job.",
       .max = 2048,
       .check = media::check_http_url},
      {.name = "impersonate",
       .doc = "Ask the site the way this browser does; GET /api/v1/admin/engine lists what there is.",
       .min = 1,
       .max = 64,
       .example = "\"chrome\"",
       .check = media::check_impersonate},
      {.name = "geo_bypass",
       .doc = "Where an extractor knows how, tell the site an address of a country that may see it.",
       .example = "true"},
      {.name = "geo_bypass_country",
       .doc = "That country, as ISO 3166 says it with two letters, for every site.",
       .example = "\"CH\"",
       .check = media::check_country},
      {.name = "sleep_interval",
       .doc = "Seconds to wait between the requests that find out what there is.",
       .min = 0,
       .max = 60,
       .example = "1.5"},
      {.name = "single_flight",
       .doc = "Share one download with identical requests that are in flight; each keeps its own job.",
       .example = "true"},
      {.name = "preset",
       .doc = "A named set of options for what is left open here (GET /api/v1/presets).",
       .min = 1,
       .max = 50,
       .example = "\"archive\""},
  };
};
template <>
struct Rules<media::DownloadRequest> {
  static constexpr FieldRule fields[] = {
      {.name = "url",
       .doc = "The page or file to download.",
       .min = 1,
       .max = 8192,
       .required = true,
       .example = "\"https://example.com/watch?v=1\"",
       .check = media::check_http_url},
      {.name = "priority",
       .doc = "1 (lowest) to 10; higher ones start first.",
       .min = 1,
       .max = 10,
       .example = "5"},
      {.name = "scheduled_at", .doc = "Not to be started earlier.", .example = "\"2030-01-31T12:00:00Z\""},
      {.name = "deadline", .doc = "Given up when it has not been completed by then."},
      {.name = "max_retries",
       .doc = "Further attempts after it failed for a passing reason.",
       .min = 0,
       .max = 15},
  };
};

}  // namespace trawl
