#pragma once

#include <optional>
#include <string>
#include <vector>

#include "api/common_views.h"
#include "api/paging.h"
#include "base/clock.h"
#include "base/describe.h"
#include "downloads/downloads.h"
#include "downloads/metadata.h"

namespace trawl::api {

// The API's documents. Each is described once; encode() prints it, OpenAPI will read it.

struct ProgressView {
  double percent = 0;  // 0..100
  std::int64_t downloaded_bytes = 0;
  std::optional<std::int64_t> total_bytes;
  std::optional<double> speed;  // Bytes per second.
  std::optional<double> eta;    // Seconds.
  std::string status;           // The phase.
  int current = 0;              // percent as a whole number, of
  int total = 100;
};
BOOST_DESCRIBE_STRUCT(ProgressView, (),
                      (percent, downloaded_bytes, total_bytes, speed, eta, status, current, total))

struct FileInfo {
  std::string filename;
  std::string file_url;
  std::string file_path;
  std::int64_t size_bytes = 0;
  std::string format;
  std::string mime_type;
};
BOOST_DESCRIBE_STRUCT(FileInfo, (), (filename, file_url, file_path, size_bytes, format, mime_type))

struct ArtifactView : FileInfo {
  std::string id;
  media::Kind kind = media::Kind::video;
  std::string language;
  std::string sha256;
  std::optional<SystemTime> expires_at;
};
BOOST_DESCRIBE_STRUCT(ArtifactView, (FileInfo), (id, kind, language, sha256, expires_at))

// What the attempt that completed a download moved over the network.
struct NetworkView {
  std::int64_t proxy_received_bytes = 0;  // By the engine's child, headers and TLS included,
  std::int64_t proxy_sent_bytes = 0;
  std::int64_t proxy_connections = 0;
  std::int64_t native_bytes = 0;        // By the server itself.
  std::optional<std::string> upstream;  // The proxy of the operator's that all went through.
};
BOOST_DESCRIBE_STRUCT(NetworkView, (),
                      (proxy_received_bytes, proxy_sent_bytes, proxy_connections, native_bytes, upstream))

struct DownloadView {
  std::string id, job_id, request_id;  // All the same.
  std::string url;
  std::string status;                       // queued, running, paused, completed, failed, cancelled
  jobs::State state = jobs::State::queued;  // The same in full: docs/job-states.md.
  std::string phase;
  ProgressView progress;
  std::optional<FileInfo> file_info;
  std::optional<downloads::VideoMetadata> metadata;
  std::optional<std::string> title;
  std::vector<ArtifactView> artifacts;
  std::optional<std::string> error, error_code;
  SystemTime created_at, updated_at;
  std::optional<SystemTime> started_at, completed_at;
  std::optional<double> duration_sec;
  std::optional<SystemTime> expires_at, deletion_time;  // The same.
  std::optional<std::string> batch_id;
  int priority = 5;
  std::int64_t attempts = 0;
  int retry_count = 0;
  int max_retries = 0;
  int replay_count = 0;
  std::optional<SystemTime> scheduled_at, deadline, next_attempt_at;
  bool can_retry = false;
  std::string logs_url;
  std::string websocket_url;
  bool webhook_sent = false;
  std::optional<NetworkView> network;
  std::optional<std::string> engine_version;  // The yt-dlp that served it.
};
BOOST_DESCRIBE_STRUCT(DownloadView, (),
                      (id, job_id, request_id, url, status, state, phase, progress, file_info, metadata,
                       title, artifacts, error, error_code, created_at, updated_at, started_at, completed_at,
                       duration_sec, expires_at, deletion_time, batch_id, priority, attempts, retry_count,
                       max_retries, replay_count, scheduled_at, deadline, next_attempt_at, can_retry,
                       logs_url, websocket_url, webhook_sent, network, engine_version))

struct ListView : PageNumbers {
  std::vector<DownloadView> downloads;
  std::int64_t total = 0;
  std::optional<std::string> next_cursor;  // For `cursor`; null at the end.
};
BOOST_DESCRIBE_STRUCT(ListView, (PageNumbers), (downloads, total, next_cursor))

// A download in the words of the services that say `processing`, with the names they give to the rest.
struct StatusView : DownloadView {
  std::optional<std::string> error_message;
  std::optional<std::string> video_path, video_url, audio_path, audio_url, thumbnail_path, thumbnail_url,
      transcription_path, transcription_url;
  std::optional<std::int64_t> file_size;
};
BOOST_DESCRIBE_STRUCT(StatusView, (DownloadView),
                      (error_message, video_path, video_url, audio_path, audio_url, thumbnail_path,
                       thumbnail_url, transcription_path, transcription_url, file_size))

struct JobsView {
  std::vector<StatusView> jobs;
  std::int64_t total = 0, page = 1, per_page = 20, total_pages = 0;
};
BOOST_DESCRIBE_STRUCT(JobsView, (), (jobs, total, page, per_page, total_pages))

struct CancelView {
  std::string id, job_id, request_id;
  std::string status;  // cancelled, or cancelling while the work is being stopped
  int cancelled_jobs = 1;
  std::string message;
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(CancelView, (), (id, job_id, request_id, status, cancelled_jobs, message, timestamp))

struct LogLine {
  std::int64_t seq = 0;
  SystemTime timestamp;
  std::string level, message;
};
BOOST_DESCRIBE_STRUCT(LogLine, (), (seq, timestamp, level, message))

struct LogsView {
  std::string request_id, job_id;
  std::vector<LogLine> logs;
  std::string log_level;
  std::int64_t total_lines = 0, total_logs = 0, total_count = 0;  // The same.
  bool truncated = false;
};
BOOST_DESCRIBE_STRUCT(LogsView, (),
                      (request_id, job_id, logs, log_level, total_lines, total_logs, total_count, truncated))

// What views need to know of the deployment.
struct ViewContext {
  std::string public_url;  // Prefix of links, without a final slash; empty: links are paths.
  int max_retries = 3;
};

[[nodiscard]] ArtifactView artifact_view(const storage::Artifact& artifact, const ViewContext& context);
[[nodiscard]] DownloadView view_of(const downloads::Download& download, const ViewContext& context);
[[nodiscard]] StatusView status_view(const downloads::Download& download, const ViewContext& context);
[[nodiscard]] ProgressView progress_view(const json::object& progress, std::string_view phase,
                                         bool completed);
[[nodiscard]] LogLine log_line(const events::Event& event);

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::media::DownloadRequest> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::DownloadView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::ListView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::StatusView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::JobsView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::CancelView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::LogsView> {
  static json::value make();
};
