#include "server/get_request.h"

#include "base/json.h"

namespace trawl::server {
namespace {

// What the person typed that became the request's field.
std::string argument_of(std::string_view field, const std::string& url) {
  if (field == "url") return "'" + url + "'";
  if (field == "quality") return "--quality";
  if (field == "audio_format") return "--audio";
  if (field == "subtitle_languages") return "--subs";
  return std::string(field);
}

}  // namespace

Result<media::DownloadRequest> get_request(const cli::GetOptions& options, const std::string& url) {
  json::object body{{"url", url},
                    {"quality", options.quality},
                    {"embed_metadata", options.metadata},
                    {"single_flight", false},  // The files are moved away, so they cannot be shared.
                    {"path_template", "{safe_title}-{id}.{ext}"}};
  if (options.audio_format) {
    body["audio_only"] = true;
    body["audio_format"] = *options.audio_format;
  }
  if (!options.subtitle_languages.empty()) {
    body["download_subtitles"] = true;
    body["subtitle_languages"] = encode(options.subtitle_languages);
  }
  auto request = decode<media::DownloadRequest>(body);
  if (request) return std::move(*request);

  const Problem& problem = request.error().front();
  const std::string field = problem.loc.empty() ? "" : problem.loc.front();
  return fail(Errc::invalid, argument_of(field, url) + " " + problem.msg, "validation_error");
}

}  // namespace trawl::server
