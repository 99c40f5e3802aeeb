#include "api/batch_views.h"

#include <fmt/format.h>

#include "api/common_views.h"

namespace trawl::api {
namespace {

std::string phase_of(const downloads::Batch& batch) {
  if (downloads::batch_ended(batch)) return "finished";
  return batch.expansion == downloads::Expansion::pending ? "listing" : "downloading";
}

std::int64_t ended(const downloads::BatchCounts& counts) {
  return counts.total() - counts.open();
}

double percent(const downloads::Batch& batch) {
  if (downloads::batch_ended(batch)) return 100;
  const auto total = batch.counts.total();
  return total == 0 ? 0 : 100.0 * static_cast<double>(ended(batch.counts)) / static_cast<double>(total);
}

// At the pace so far.
std::optional<double> remaining(const downloads::Batch& batch, SystemTime now) {
  const auto done = ended(batch.counts);
  if (downloads::batch_ended(batch) || !batch.started_at || done == 0) return std::nullopt;
  const auto spent = std::chrono::duration<double>(now - *batch.started_at).count();
  return spent / static_cast<double>(done) * static_cast<double>(batch.counts.open());
}

}  // namespace

BatchNumbers numbers_of(const downloads::Batch& batch) {
  const downloads::BatchCounts& counts = batch.counts;
  BatchNumbers view;
  view.status = downloads::batch_status(batch);
  view.phase = phase_of(batch);
  view.total_jobs = view.total_urls = counts.total();
  view.completed_jobs = view.completed = counts.completed;
  view.failed_jobs = view.failed = counts.failed;
  view.running_jobs = view.running = counts.running;
  view.queued_jobs = view.queued = counts.queued;
  view.paused_jobs = counts.paused;
  view.cancelled_jobs = counts.cancelled;
  view.skipped_jobs = counts.skipped + batch.skipped;
  view.progress_percent = percent(batch);
  view.listed = batch.listed;
  return view;
}

BatchView view_of(const downloads::Batch& batch, SystemTime now) {
  BatchView view{numbers_of(batch)};
  view.id = view.batch_id = batch.id;
  view.source = downloads::source_of(batch.request);
  view.url = batch.request.url;
  view.title = known(batch.title);
  view.subscription_id = batch.subscription;
  view.created_at = batch.created_at;
  view.updated_at = view.last_updated =
      std::max(batch.updated_at, batch.completed_at.value_or(batch.updated_at));
  view.started_at = batch.started_at;
  view.completed_at = batch.completed_at;
  if (view.started_at && view.completed_at)
    view.duration_sec = std::chrono::duration<double>(*view.completed_at - *view.started_at).count();
  view.estimated_time_remaining = remaining(batch, now);
  view.error = batch.error_message;
  view.error_code = batch.error_code;
  view.concurrency = batch.request.concurrency;
  view.stop_on_error = downloads::stops_on_error(batch.request);
  view.websocket_url = fmt::format("/api/v1/ws/batches/{}", batch.id);
  return view;
}

BatchJobView batch_job_view(const downloads::Download& download, const ViewContext& context) {
  DownloadView full = view_of(download, context);
  BatchJobView view;
  view.id = view.job_id = view.request_id = full.id;
  view.url = full.url;
  view.status = full.status;
  view.title = full.title;
  if (const auto member = downloads::membership_of(download.job.request); member && *member) {
    if (!view.title) view.title = known((*member)->title);
    if (const auto* index = (*member)->playlist.if_contains("playlist_index"); index && index->is_int64())
      view.playlist_index = index->get_int64();
  }
  view.progress = full.progress;
  view.file_info = full.file_info;
  if (view.file_info) view.file_url = view.file_info->file_url;
  view.error = full.error;
  view.error_code = full.error_code;
  view.created_at = full.created_at;
  view.started_at = full.started_at;
  view.completed_at = full.completed_at;
  return view;
}

}  // namespace trawl::api
