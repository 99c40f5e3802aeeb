#include "api/views.h"

#include <cmath>

#include <fmt/format.h>

#include "base/text.h"

namespace trawl::api {
namespace {

std::string file_name(const std::string& path) {
  return path.substr(path.rfind('/') + 1);
}

FileInfo file_info(const storage::Artifact& artifact, const ViewContext& context) {
  const std::string name = file_name(artifact.path);
  const auto dot = name.rfind('.');
  return {.filename = name,
          .file_url = context.public_url + "/files/" + percent_encode(artifact.path, "/"),
          .file_path = artifact.path,
          .size_bytes = artifact.size,
          .format = dot == std::string::npos ? "" : name.substr(dot + 1),
          .mime_type = artifact.mime_type};
}

// Finished downloads carry their metadata in the result, running ones in the stored Plan.
std::optional<downloads::VideoMetadata> metadata_of(const jobs::Job& job) {
  if (const json::value* stored = job.result.if_contains("metadata"); stored && stored->is_object()) {
    return downloads::read_metadata(stored->as_object());
  }
  const json::value* plan = job.checkpoint.if_contains("plan");
  if (!plan || !plan->is_object()) return std::nullopt;
  const json::value* info = plan->as_object().if_contains("info");
  return info && info->is_object() ? std::optional(downloads::read_metadata(info->as_object()))
                                   : std::nullopt;
}

bool may_be_retried(jobs::State state) {
  return jobs::allowed(jobs::Step::retry, state, jobs::State::queued);
}

}  // namespace

ArtifactView artifact_view(const storage::Artifact& artifact, const ViewContext& context) {
  return {file_info(artifact, context), artifact.id.str(), artifact.kind, artifact.language, artifact.sha256,
          artifact.expires_at};
}

ProgressView progress_view(const json::object& progress, std::string_view phase, bool completed) {
  const auto number = [&](std::string_view name) -> std::optional<double> {
    const json::value* value = progress.if_contains(name);
    return value && value->is_number() ? std::optional(value->to_number<double>()) : std::nullopt;
  };
  ProgressView view;
  view.status = phase;
  view.percent = completed ? 100 : number("percent").value_or(0);
  view.downloaded_bytes = std::llround(number("downloaded_bytes").value_or(0));
  if (const auto total = number("total_bytes")) view.total_bytes = std::llround(*total);
  if (!completed) {
    view.speed = number("speed");
    view.eta = number("eta");
  }
  view.current = static_cast<int>(view.percent);
  return view;
}

DownloadView view_of(const downloads::Download& download, const ViewContext& context) {
  const jobs::Job& job = download.job;
  const bool completed = job.state == jobs::State::completed;
  DownloadView view;
  view.id = view.job_id = view.request_id = job.id.str();
  view.url = download.request.url;
  view.status = jobs::api_status(job.state);
  view.state = job.state;
  view.phase = job.phase;
  view.progress = progress_view(job.progress, job.phase, completed);
  view.metadata = metadata_of(job);
  if (view.metadata) view.title = view.metadata->title;
  if (!view.title) view.title = known(job.title);
  for (const storage::Artifact& artifact : download.artifacts)
    view.artifacts.push_back(artifact_view(artifact, context));
  if (!download.artifacts.empty()) {
    const storage::Artifact& main = download.artifacts.front();
    view.file_info = file_info(main, context);
    view.expires_at = view.deletion_time = main.expires_at;
  }
  view.error = job.error_message;
  view.error_code = job.error_code;
  view.created_at = job.created_at;
  view.updated_at = job.updated_at;
  view.started_at = job.started_at;
  view.completed_at = job.completed_at;
  if (job.started_at && job.completed_at) {
    view.duration_sec = std::chrono::duration<double>(*job.completed_at - *job.started_at).count();
  }
  view.batch_id = job.batch;
  view.priority = job.priority;
  view.attempts = job.epoch;
  view.retry_count = job.failures;
  view.max_retries = job.max_retries.value_or(context.max_retries);
  view.replay_count = job.replays;
  view.scheduled_at = job.scheduled_at;
  view.deadline = job.deadline;
  if (job.state == jobs::State::retry_wait || job.state == jobs::State::scheduled)
    view.next_attempt_at = job.not_before;
  view.can_retry = may_be_retried(job.state);
  view.webhook_sent = download.webhook_sent;
  view.logs_url = fmt::format("{}/api/v1/downloads/{}/logs", context.public_url, view.id);
  view.websocket_url = fmt::format("/api/v1/ws/downloads/{}", view.id);
  if (const json::value* version = job.result.if_contains("engine_version"); version && version->is_string())
    view.engine_version = std::string(version->get_string());
  if (const json::value* network = job.result.if_contains("network")) {
    if (auto read = decode_own<NetworkView>(*network, "network")) view.network = std::move(*read);
  }
  return view;
}

StatusView status_view(const downloads::Download& download, const ViewContext& context) {
  StatusView view;
  static_cast<DownloadView&>(view) = view_of(download, context);
  if (view.status == "running") view.status = "processing";
  view.error_message = view.error;
  const auto name = [&](media::Kind kind, std::optional<std::string>& path, std::optional<std::string>& url) {
    const auto found = std::ranges::find(view.artifacts, kind, &ArtifactView::kind);
    if (found == view.artifacts.end()) return;
    path = found->file_path;
    url = found->file_url;
  };
  name(media::Kind::video, view.video_path, view.video_url);
  name(media::Kind::audio, view.audio_path, view.audio_url);
  name(media::Kind::thumbnail, view.thumbnail_path, view.thumbnail_url);
  name(media::Kind::transcript, view.transcription_path, view.transcription_url);
  if (view.file_info) view.file_size = view.file_info->size_bytes;
  return view;
}

LogLine log_line(const events::Event& event) {
  const auto text = [&](std::string_view name) {
    const json::value* value = event.data.if_contains(name);
    return value && value->is_string() ? std::string(value->as_string()) : std::string();
  };
  return {event.seq, event.at, text("level"), text("message")};
}

}  // namespace trawl::api
