#include "webhooks/payload.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

namespace trawl::webhooks {
namespace {

constexpr std::size_t kLongestText = 1000;
constexpr std::size_t kMostArtifacts = 20;

// A text that came from a site, of bounded length; other values as they are.
json::value bounded(const json::value& value) {
  const json::string* text = value.if_string();
  return text ? json::value(truncate_utf8(*text, kLongestText)) : value;
}

json::value member(const json::object& document, std::string_view name) {
  const json::value* found = document.if_contains(name);
  return found && !found->is_structured() ? bounded(*found) : json::value();
}

json::object metadata_of(const Subject& subject) {
  const json::value* stored = subject.result.if_contains("metadata");
  return stored && stored->is_object() ? stored->get_object() : json::object();
}

json::object file_info(const storage::Artifact& artifact, std::string_view public_url) {
  return {{"filename", artifact.path.substr(artifact.path.rfind('/') + 1)},
          {"filepath", artifact.path},
          {"size_bytes", artifact.size},
          {"sha256", artifact.sha256},
          {"kind", to_text(artifact.kind)},
          {"mime_type", artifact.mime_type},
          {"download_url", fmt::format("{}/files/{}", public_url, percent_encode(artifact.path, "/"))}};
}

void add_result(json::object& data, const Subject& subject, std::string_view public_url) {
  const json::object metadata = metadata_of(subject);
  data["title"] = member(metadata, "title");
  data["duration"] = member(metadata, "duration");
  data["metadata"] = json::object{{"title", member(metadata, "title")},
                                  {"uploader", member(metadata, "uploader")},
                                  {"duration", member(metadata, "duration")}};
  json::array artifacts;
  for (std::size_t i = 0; i < std::min(subject.artifacts.size(), kMostArtifacts); ++i)
    artifacts.push_back(file_info(subject.artifacts[i], public_url));
  if (!artifacts.empty()) {
    const json::object& main = artifacts.front().as_object();
    data["file_url"] = main.at("download_url");
    data["file_path"] = main.at("filepath");
    data["file_size"] = main.at("size_bytes");
    data["file_info"] = main;
  }
  data["artifacts"] = std::move(artifacts);
}

std::string_view error_type(std::string_view code) {
  if (code.contains("timeout")) return "timeout";
  return code.empty() || code == "internal" ? "unexpected_error" : "download_error";
}

void add_error(json::object& data, const Subject& subject) {
  const std::string code = subject.error_code.value_or("");
  data["error"] = truncate_utf8(subject.error.value_or(""), kLongestText);
  data["error_code"] = code;
  data["error_type"] = error_type(code);
}

void add_progress(json::object& data, const Subject& subject) {
  json::object progress;
  for (const std::string_view name : {"percent", "downloaded_bytes", "total_bytes", "speed", "eta"})
    progress[name] = member(subject.progress, name);
  data["progress"] = std::move(progress);
}

std::string_view status_of(std::string_view event) {
  constexpr std::array<std::pair<std::string_view, std::string_view>, 5> kStatus = {
      {{"download.started", "started"},
       {"download.progress", "downloading"},
       {"download.completed", "completed"},
       {"download.failed", "failed"},
       {"download.cancelled", "cancelled"}}};
  const auto* const found =
      std::ranges::find(kStatus, event, &std::pair<std::string_view, std::string_view>::first);
  return found == kStatus.end() ? "" : found->second;
}

}  // namespace

std::optional<std::string_view> event_of(std::string_view state, bool first_attempt) {
  if (state == "running") return first_attempt ? std::optional("download.started") : std::nullopt;
  if (state == "completed") return "download.completed";
  if (state == "failed" || state == "dead" || state == "expired") return "download.failed";
  if (state == "cancelled") return "download.cancelled";
  return std::nullopt;
}

json::object payload(std::string_view event, const Subject& subject, std::string_view public_url) {
  const std::string at = to_iso8601(subject.at);
  json::object data{{"request_id", subject.job.str()},
                    {"job_id", subject.job.str()},
                    {"url", bounded(json::value(subject.url))},
                    {"status", status_of(event)},
                    {"timestamp", at}};
  if (event == "download.completed") add_result(data, subject, public_url);
  if (event == "download.failed") add_error(data, subject);
  if (event == "download.progress") add_progress(data, subject);
  return {{"type", event},
          {"event", event},
          {"timestamp", at},
          {"request_id", subject.job.str()},
          {"data", std::move(data)}};
}

}  // namespace trawl::webhooks
