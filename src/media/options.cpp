#include "media/options.h"

#include <algorithm>
#include <cctype>
#include <regex>

#include <fmt/format.h>
#include <fmt/ranges.h>

#include "base/text.h"

namespace trawl::media {
namespace {

std::optional<int> height_of(Quality quality) {
  switch (quality) {
    case Quality::p4320:
      return 4320;
    case Quality::p2160:
      return 2160;
    case Quality::p1440:
      return 1440;
    case Quality::p1080:
      return 1080;
    case Quality::p720:
      return 720;
    case Quality::p480:
      return 480;
    case Quality::p360:
      return 360;
    case Quality::p240:
      return 240;
    case Quality::p144:
      return 144;
    default:
      return std::nullopt;
  }
}

bool alnum(char c) {
  return std::isalnum(static_cast<unsigned char>(c)) != 0 && static_cast<unsigned char>(c) < 0x80;
}

}  // namespace

bool wants_subtitles(const DownloadOptions& options) {
  return options.download_subtitles || options.embed_subtitles || options.transcript ||
         options.transcript_only;
}

std::optional<std::string> check_together(const DownloadOptions& options) {
  const bool times = options.section_start || options.section_end;
  if (times && options.section_chapter)
    return "section_chapter does not go with section_start and section_end";
  if (options.section_end && *options.section_end <= options.section_start.value_or(0))
    return "section_end must be after section_start";
  if ((times || options.section_chapter) && !options.sponsorblock_remove.empty())
    return "sponsorblock_remove does not go with a section";
  if (options.embed_subtitles && options.subtitle_format == SubtitleFormat::txt)
    return "embed_subtitles needs a subtitle_format with times";
  return std::nullopt;
}

bool wants_audio_only(const DownloadOptions& options) {
  return options.audio_only || options.quality == Quality::audio;
}

std::string format_selector(const DownloadOptions& options) {
  if (options.custom_format) return std::string(trim(*options.custom_format));
  if (wants_audio_only(options)) return "bestaudio/best";
  if (options.quality == Quality::worst) return "worstvideo+worstaudio/worst";
  if (const auto height = height_of(options.quality)) {
    return fmt::format("bestvideo[height<={0}]+bestaudio/best[height<={0}]/best", *height);
  }
  return "bestvideo+bestaudio/best";
}

std::optional<std::string> check_custom_format(std::string_view text) {
  constexpr std::string_view kGrammar = "[]<>=!^$*~?:,/+()-._' \"";
  const std::string_view selector = trim(text);
  if (selector.empty()) return "must not be empty";
  if (selector.front() == '-') return "must not begin with '-'";
  for (const char c : selector) {
    if (!alnum(c) && kGrammar.find(c) == std::string_view::npos) {
      return fmt::format("must not contain '{}'", std::isprint(static_cast<unsigned char>(c))
                                                      ? std::string(1, c)
                                                      : "control characters");
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_language(std::string_view text) {
  const auto wrong = [&] {
    return fmt::format("'{}' is not a language code such as en, pt-BR or all",
                       to_valid_utf8(text.substr(0, 40)));
  };
  if (text == "all") return std::nullopt;
  const auto parts = split(text, '-');
  if (parts[0].size() < 2 || parts[0].size() > 3) return wrong();
  for (std::size_t i = 0; i < parts.size(); ++i) {
    if (i > 0 && (parts[i].size() < 2 || parts[i].size() > 8)) return wrong();
    for (const char c : parts[i]) {
      if (!alnum(c) || (i == 0 && std::isdigit(static_cast<unsigned char>(c)))) return wrong();
    }
  }
  return std::nullopt;
}

std::optional<std::string> check_audio_quality(std::string_view text) {
  for (const std::string_view known : {"96", "128", "192", "256", "320", "best"}) {
    if (text == known) return std::nullopt;
  }
  return "must be one of 96, 128, 192, 256, 320, best";
}

namespace {

constexpr std::string_view kSegments[] = {"sponsor", "intro",  "outro",       "selfpromo",
                                          "preview", "filler", "interaction", "music_offtopic"};

bool is_segment(std::string_view text) {
  return std::ranges::find(kSegments, text) != std::end(kSegments);
}

}  // namespace

std::optional<std::string> check_sponsorblock_remove(std::string_view text) {
  if (is_segment(text)) return std::nullopt;
  return fmt::format("must be of {}", fmt::join(kSegments, ", "));
}

std::optional<std::string> check_sponsorblock_mark(std::string_view text) {
  if (is_segment(text) || text == "poi_highlight" || text == "chapter") return std::nullopt;
  return fmt::format("must be of {}, poi_highlight, chapter", fmt::join(kSegments, ", "));
}

std::optional<std::string> check_impersonate(std::string_view text) {
  static const std::regex target("[a-z]+(-[a-z0-9._]+)?(:[a-z]+(-[a-z0-9._]+)?)?");
  if (std::regex_match(text.begin(), text.end(), target)) return std::nullopt;
  return "must be a browser such as chrome, chrome-124 or safari:ios";
}

std::optional<std::string> check_country(std::string_view text) {
  static const std::regex country("[A-Za-z]{2}");
  if (std::regex_match(text.begin(), text.end(), country)) return std::nullopt;
  return "must be a country in two letters, such as CH";
}

std::optional<std::string> check_http_url(std::string_view text) {
  const std::string_view url = trim(text);
  const std::string start = to_lower(url.substr(0, 8));
  const std::size_t scheme = start.starts_with("https://") ? 8 : start.starts_with("http://") ? 7 : 0;
  if (scheme == 0) return "must start with http:// or https://";
  if (url.size() == scheme || url[scheme] == '/' || url[scheme] == '?' || url[scheme] == '#')
    return "must name a host";
  return std::nullopt;
}

}  // namespace trawl::media
