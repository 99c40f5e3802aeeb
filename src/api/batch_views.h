#pragma once

#include "api/views.h"
#include "downloads/batches.h"

namespace trawl::api {

// A child as its batch lists it; GET /downloads/{id} has everything.
struct BatchJobView {
  std::string id, job_id, request_id;  // All the same.
  std::string url, status;
  std::optional<std::string> title;
  ProgressView progress;
  std::optional<FileInfo> file_info;
  std::optional<std::string> file_url;
  std::optional<std::string> error, error_code;
  std::optional<std::int64_t> playlist_index;
  SystemTime created_at;
  std::optional<SystemTime> started_at, completed_at;
};
BOOST_DESCRIBE_STRUCT(BatchJobView, (),
                      (id, job_id, request_id, url, status, title, progress, file_info, file_url, error,
                       error_code, playlist_index, created_at, started_at, completed_at))

// The counts, under the names of the first project's two documents.
struct BatchNumbers {
  std::string status;  // queued, running, paused, completed, failed, cancelled
  std::string phase;   // listing, downloading, finished
  std::int64_t total_jobs = 0, completed_jobs = 0, failed_jobs = 0, running_jobs = 0, queued_jobs = 0;
  std::int64_t paused_jobs = 0, cancelled_jobs = 0, skipped_jobs = 0;
  std::int64_t total_urls = 0, completed = 0, failed = 0, running = 0, queued = 0;
  double progress_percent = 0;  // Children that have ended, of those known.
  std::int64_t listed = 0;      // Entries looked at.
};
BOOST_DESCRIBE_STRUCT(BatchNumbers, (),
                      (status, phase, total_jobs, completed_jobs, failed_jobs, running_jobs, queued_jobs,
                       paused_jobs, cancelled_jobs, skipped_jobs, total_urls, completed, failed, running,
                       queued, progress_percent, listed))

struct BatchView : BatchNumbers {
  std::string id, batch_id;  // The same.
  downloads::BatchSource source = downloads::BatchSource::urls;
  std::optional<std::string> url, title, subscription_id;
  std::vector<BatchJobView> jobs;  // A page of them.
  std::int64_t jobs_page = 1, jobs_page_size = 0;
  SystemTime created_at, updated_at, last_updated;
  std::optional<SystemTime> started_at, completed_at;
  std::optional<double> duration_sec, estimated_time_remaining;
  std::optional<std::string> error, error_code;
  int concurrency = 0;
  bool stop_on_error = false;
  std::string websocket_url;
};
BOOST_DESCRIBE_STRUCT(BatchView, (BatchNumbers),
                      (id, batch_id, source, url, title, subscription_id, jobs, jobs_page, jobs_page_size,
                       created_at, updated_at, last_updated, started_at, completed_at, duration_sec,
                       estimated_time_remaining, error, error_code, concurrency, stop_on_error,
                       websocket_url))

struct BatchListView : PageNumbers {
  std::vector<BatchView> batches;
  std::int64_t total = 0;
};
BOOST_DESCRIBE_STRUCT(BatchListView, (PageNumbers), (batches, total))

struct BatchCancelView {
  std::string id, batch_id, request_id;  // All the same.
  std::string status;
  std::int64_t cancelled_jobs = 0;
  std::string message;
  SystemTime timestamp;
};
BOOST_DESCRIBE_STRUCT(BatchCancelView, (),
                      (id, batch_id, request_id, status, cancelled_jobs, message, timestamp))

[[nodiscard]] BatchNumbers numbers_of(const downloads::Batch& batch);
// Without children.
[[nodiscard]] BatchView view_of(const downloads::Batch& batch, SystemTime now);
[[nodiscard]] BatchJobView batch_job_view(const downloads::Download& download, const ViewContext& context);

}  // namespace trawl::api

template <>
struct trawl::Example<trawl::downloads::BatchRequest> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::BatchView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::BatchListView> {
  static json::value make();
};
template <>
struct trawl::Example<trawl::api::BatchCancelView> {
  static json::value make();
};
