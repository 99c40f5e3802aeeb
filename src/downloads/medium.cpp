#include "downloads/medium.h"

#include <algorithm>
#include <cmath>

namespace trawl::downloads {
namespace {

constexpr std::size_t kMostFormats = 1000;
constexpr std::size_t kMostLanguages = 500;

std::string text(const json::object& from, std::string_view name) {
  const json::value* value = from.if_contains(name);
  return value && value->is_string() ? std::string(value->as_string()) : std::string();
}

std::optional<std::string> known(const json::object& from, std::string_view name) {
  std::string found = text(from, name);
  return found.empty() ? std::nullopt : std::optional(std::move(found));
}

std::optional<double> number(const json::object& from, std::string_view name) {
  const json::value* value = from.if_contains(name);
  return value && value->is_number() ? std::optional(value->to_number<double>()) : std::nullopt;
}

std::optional<std::int64_t> whole(const json::object& from, std::string_view name) {
  const auto found = number(from, name);
  return found && std::abs(*found) < 9e15 ? std::optional<std::int64_t>(std::llround(*found)) : std::nullopt;
}

FormatInfo format_of(const json::object& from) {
  FormatInfo out{.format_id = text(from, "format_id"),
                 .ext = text(from, "ext"),
                 .resolution = text(from, "resolution"),
                 .fps = number(from, "fps"),
                 .vcodec = text(from, "vcodec"),
                 .acodec = text(from, "acodec"),
                 .filesize = whole(from, "filesize"),
                 .filesize_approx = whole(from, "filesize_approx"),
                 .tbr = number(from, "tbr"),
                 .vbr = number(from, "vbr"),
                 .abr = number(from, "abr"),
                 .width = whole(from, "width"),
                 .height = whole(from, "height"),
                 .format_note = text(from, "format_note"),
                 .protocol = text(from, "protocol"),
                 .language = text(from, "language"),
                 .quality = number(from, "quality")};
  return out;
}

// {language: [{ext, url, ...}, ...]}
std::map<std::string, std::vector<std::string>> languages(const json::object& info, std::string_view name) {
  std::map<std::string, std::vector<std::string>> out;
  const json::value* all = info.if_contains(name);
  if (!all || !all->is_object()) return out;
  for (const auto& [language, offers] : all->as_object()) {
    if (!offers.is_array() || out.size() >= kMostLanguages) continue;
    auto& kinds = out[std::string(language)];
    for (const json::value& offer : offers.as_array()) {
      std::string kind = offer.is_object() ? text(offer.as_object(), "ext") : "";
      if (!kind.empty() && std::ranges::find(kinds, kind) == kinds.end()) kinds.push_back(std::move(kind));
    }
  }
  return out;
}

}  // namespace

Medium medium_of(const media::Plan& plan) {
  Medium out;
  out.metadata = read_metadata(plan.info);
  if (!out.metadata.extractor) out.metadata.extractor = plan.extractor;
  out.uploader_url = known(plan.info, "uploader_url");
  out.channel_url = known(plan.info, "channel_url");
  if (const json::value* formats = plan.info.if_contains("formats"); formats && formats->is_array()) {
    for (const json::value& format : formats->as_array()) {
      if (format.is_object() && out.formats.size() < kMostFormats)
        out.formats.push_back(format_of(format.as_object()));
    }
  }
  out.subtitles = languages(plan.info, "subtitles");
  out.automatic_captions = languages(plan.info, "automatic_captions");
  out.live = plan.live;
  return out;
}

const FormatInfo* best_format(const std::vector<FormatInfo>& formats, bool video, bool audio) {
  const FormatInfo* best = nullptr;
  for (const FormatInfo& format : formats) {
    if (format.has_video() == video && format.has_audio() == audio) best = &format;
  }
  return best;
}

std::string recommended_quality(const std::vector<FormatInfo>& formats) {
  std::int64_t highest = 0;
  bool video = false;
  for (const FormatInfo& format : formats) {
    video = video || format.has_video();
    if (format.has_video() && format.height && *format.height <= 1080)
      highest = std::max(highest, *format.height);
  }
  if (!video) return formats.empty() ? "best" : "audio";
  for (const std::int64_t preset : {1080, 720, 480, 360, 240, 144}) {
    if (highest >= preset) return std::to_string(preset) + "p";
  }
  return "best";
}

}  // namespace trawl::downloads
