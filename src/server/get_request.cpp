#include "server/get_request.h"

#include "base/json.h"

namespace trawl::server {

Result<media::DownloadRequest> get_request(const cli::GetOptions& options, const std::string& url) {
  json::object body{{"url", url}, {"quality", options.quality}, {"embed_metadata", options.metadata},
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
  const std::string flag = field == "quality" ? "--quality" : field == "audio_format" ? "--audio" : field == "subtitle_languages" ? "--subs" : field == "url" ? "'" + url + "'" : field;
  return fail(Errc::invalid, flag + " " + problem.msg, field == "url" ? "invalid_url" : "validation_error");
}

}  // namespace trawl::server
