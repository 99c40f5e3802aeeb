#include "api/older_body.h"

#include "media/options.h"

namespace trawl::api {
namespace {

void add(json::object& body, std::string_view name, json::value value) {
  if (!body.contains(name)) body[name] = std::move(value);
}

}  // namespace

json::object with_newer_names(json::object body) {
  if (const auto* wanted = body.if_contains("include_transcription"); wanted && wanted->is_bool()) {
    if (wanted->get_bool()) {
      for (const char* name : {"download_subtitles", "auto_subtitles", "translated_subtitles", "transcript"})
        add(body, name, true);
    }
    body.erase("include_transcription");
  }
  const auto* format = body.if_contains("output_format");
  const auto* text = format ? format->if_string() : nullptr;
  if (!text) return body;
  const std::string wanted(*text);
  if (parse_enum<media::VideoFormat>(wanted)) {
    add(body, "video_format", json::value(wanted));
  } else if (parse_enum<media::AudioFormat>(wanted)) {
    add(body, "audio_format", json::value(wanted));
    add(body, "audio_only", true);
  } else {
    return body;
  }
  body.erase("output_format");
  return body;
}

std::string with_newer_names(std::string body) {
  auto document = parse_json(body);
  if (!document || !document->is_object()) return body;
  return json::serialize(with_newer_names(std::move(document->get_object())));
}

}  // namespace trawl::api
