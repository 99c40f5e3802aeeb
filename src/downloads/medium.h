#pragma once

#include "downloads/metadata.h"
#include "media/plan.h"

namespace trawl::downloads {

// One way a site offers a medium (API.md 1.2, FormatInfo).
struct FormatInfo {
  std::string format_id, ext, resolution;
  std::optional<double> fps;
  std::string vcodec, acodec;  // "none": it has no such part.
  std::optional<std::int64_t> filesize, filesize_approx;
  std::optional<double> tbr, vbr, abr;  // kbit/s
  std::optional<std::int64_t> width, height;
  std::string format_note, protocol, language;
  std::optional<double> quality;

  [[nodiscard]] bool has_video() const { return vcodec != "none"; }
  [[nodiscard]] bool has_audio() const { return acodec != "none"; }
};
BOOST_DESCRIBE_STRUCT(FormatInfo, (),
                      (format_id, ext, resolution, fps, vcodec, acodec, filesize, filesize_approx, tbr, vbr,
                       abr, width, height, format_note, protocol, language, quality))

// What a site says of one medium, and what there is to choose from.
struct Medium {
  VideoMetadata metadata;
  std::optional<std::string> uploader_url, channel_url;
  std::vector<FormatInfo> formats;  // From worst to best.
  // The file formats of subtitles, by language.
  std::map<std::string, std::vector<std::string>> subtitles, automatic_captions;
  bool live = false;
};
BOOST_DESCRIBE_STRUCT(Medium, (),
                      (metadata, uploader_url, channel_url, formats, subtitles, automatic_captions, live))

// Takes from a Plan with choices what people may see: no addresses of media, headers or cookies, which may
// carry somebody's rights.
[[nodiscard]] Medium medium_of(const media::Plan& plan);

// The best one with the parts asked for; null when there is none.
[[nodiscard]] const FormatInfo* best_format(const std::vector<FormatInfo>& formats, bool video, bool audio);

// The highest preset of at most 1080p that the medium comes in: "1080p"; "audio" without pictures.
[[nodiscard]] std::string recommended_quality(const std::vector<FormatInfo>& formats);

}  // namespace trawl::downloads
