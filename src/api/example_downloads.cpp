#include "api/batch_views.h"
#include "api/preview_views.h"
#include "api/subscription_views.h"
#include "api/views.h"

// The examples of the API's description that are about downloads, batches and subscriptions.
namespace trawl {
namespace {

using api::example_time;

constexpr const char* kJob = "01980000-0000-7000-8000-000000000001";
constexpr const char* kBatch = "batch_01980000000070008000000000000002";
constexpr const char* kSubscription = "sub_01980000000070008000000000000003";
constexpr const char* kUrl = "https://example.com/watch?v=1";
constexpr const char* kList = "https://example.com/playlist?list=1";

api::FileInfo file() {
  return {.filename = "Title-1.mp4",
          .file_url = "/files/videos/Title-1.mp4",
          .file_path = "videos/Title-1.mp4",
          .size_bytes = 7'340'032,
          .format = "mp4",
          .mime_type = "video/mp4"};
}

api::ProgressView progress() {
  return {.percent = 100,
          .downloaded_bytes = 7'340'032,
          .total_bytes = 7'340'032,
          .speed = {},
          .eta = {},
          .status = "finished",
          .current = 100};
}

downloads::VideoMetadata metadata() {
  downloads::VideoMetadata out;
  out.id = "1";
  out.title = "Title";
  out.uploader = "Somebody";
  out.duration = 212.5;
  out.view_count = 1234;
  out.width = 1280;
  out.height = 720;
  out.webpage_url = kUrl;
  out.extractor = "generic";
  out.tags = {"example"};
  return out;
}

api::DownloadView download() {
  api::DownloadView view;
  view.id = view.job_id = view.request_id = kJob;
  view.url = kUrl;
  view.status = "completed";
  view.state = jobs::State::completed;
  view.phase = "finished";
  view.progress = progress();
  view.file_info = file();
  view.metadata = metadata();
  view.title = "Title";
  view.artifacts = {{file(), "01980000-0000-7000-8000-000000000004", media::Kind::video, "",
                     "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855", example_time(3600)}};
  view.created_at = view.updated_at = example_time();
  view.started_at = example_time(1);
  view.completed_at = example_time(9);
  view.duration_sec = 8;
  view.expires_at = view.deletion_time = example_time(3600);
  view.attempts = 1;
  view.max_retries = 3;
  view.logs_url = "/api/v1/downloads/" + view.id + "/logs";
  view.websocket_url = "/api/v1/ws/downloads/" + view.id;
  view.network = api::NetworkView{.proxy_received_bytes = 20'480,
                                  .proxy_sent_bytes = 2048,
                                  .proxy_connections = 1,
                                  .native_bytes = 7'340'032,
                                  .upstream = {}};
  return view;
}

api::StatusView status() {
  api::StatusView view;
  static_cast<api::DownloadView&>(view) = download();
  return view;
}

api::BatchView batch() {
  api::BatchView view;
  view.status = "running";
  view.phase = "downloading";
  view.total_jobs = view.total_urls = 2;
  view.completed_jobs = view.completed = 1;
  view.running_jobs = view.running = 1;
  view.progress_percent = 50;
  view.listed = 2;
  view.id = view.batch_id = kBatch;
  view.source = downloads::BatchSource::playlist;
  view.url = kList;
  view.title = "A playlist";
  view.jobs = {{.id = kJob,
                .job_id = kJob,
                .request_id = kJob,
                .url = kUrl,
                .status = "completed",
                .title = "Title",
                .progress = progress(),
                .file_info = file(),
                .file_url = file().file_url,
                .error = {},
                .error_code = {},
                .playlist_index = 1,
                .created_at = example_time(),
                .started_at = example_time(1),
                .completed_at = example_time(9)}};
  view.jobs_page_size = 100;
  view.created_at = view.updated_at = view.last_updated = example_time();
  view.started_at = example_time(1);
  view.concurrency = 3;
  view.websocket_url = "/api/v1/ws/batches/" + view.id;
  return view;
}

api::SubscriptionView subscription() {
  api::SubscriptionView view;
  view.id = view.subscription_id = kSubscription;
  view.name = "A playlist";
  view.url = kList;
  view.status = "active";
  view.interval_sec = 3600;
  view.next_run_at = example_time(3600);
  view.last_run_at = example_time();
  view.runs = 1;
  view.entries = 2;
  view.last_run = kBatch;
  view.created_at = view.updated_at = example_time();
  view.request = {{"url", kList}, {"quality", "720p"}};
  return view;
}

api::EntryView entry() {
  return {.id = "1",
          .title = "Title",
          .url = kUrl,
          .duration = 212.5,
          .view_count = 1234,
          .uploader = "Somebody",
          .upload_date = "20260131",
          .thumbnail = {},
          .playlist_index = 1,
          .extractor = "generic"};
}

void put_one_page(api::PageNumbers& view) {
  view.page = view.total_pages = 1;
  view.page_size = 20;
}

template <class View>
View paged(View view) {
  view.total = view.total_pages = 1;
  return view;
}

}  // namespace

json::value Example<media::DownloadRequest>::make() {
  return {{"url", kUrl}, {"quality", "720p"}, {"webhook_url", "https://example.com/hook"}};
}
json::value Example<api::DownloadView>::make() {
  return encode(download());
}
json::value Example<api::ListView>::make() {
  return encode(paged(api::ListView{.downloads = {download()}}));
}
json::value Example<api::StatusView>::make() {
  api::StatusView view = status();
  view.video_path = file().file_path;
  view.video_url = file().file_url;
  view.file_size = file().size_bytes;
  return encode(view);
}
json::value Example<api::JobsView>::make() {
  return encode(paged(api::JobsView{.jobs = {status()}}));
}
json::value Example<api::CancelView>::make() {
  return encode(
      api::CancelView{kJob, kJob, kJob, "cancelled", 1, "the download is cancelled", example_time()});
}
json::value Example<api::LogsView>::make() {
  return encode(api::LogsView{.request_id = kJob,
                              .job_id = kJob,
                              .logs = {{1, example_time(), "INFO", "the download begins"}},
                              .log_level = "DEBUG",
                              .total_lines = 1,
                              .total_logs = 1,
                              .total_count = 1});
}

json::value Example<downloads::BatchRequest>::make() {
  return {{"source", "playlist"}, {"url", kList}, {"items", "1-10"}, {"quality", "720p"}, {"concurrency", 3}};
}
json::value Example<api::BatchView>::make() {
  return encode(batch());
}
json::value Example<api::BatchListView>::make() {
  return encode(paged(api::BatchListView{.batches = {batch()}}));
}
json::value Example<api::BatchCancelView>::make() {
  return encode(
      api::BatchCancelView{kBatch, kBatch, kBatch, "cancelled", 1, "the batch is cancelled", example_time()});
}

json::value Example<downloads::SubscriptionRequest>::make() {
  return {{"url", kList}, {"interval_sec", 3600}, {"quality", "720p"}, {"skip_existing", true}};
}
json::value Example<api::SubscriptionView>::make() {
  return encode(subscription());
}
json::value Example<api::SubscriptionListView>::make() {
  return encode(paged(api::SubscriptionListView{.subscriptions = {subscription()}}));
}
json::value Example<api::RunListView>::make() {
  return encode(paged(api::RunListView{.runs = {batch()}}));
}

json::value Example<api::PlaylistPreview>::make() {
  api::PlaylistPreview view;
  put_one_page(view);
  view.url = view.playlist_url = kList;
  view.id = view.playlist_id = "1";
  view.title = view.playlist_title = "A playlist";
  view.total_items = view.total_videos = 1;
  view.items = view.videos = {entry()};
  view.extractor = "generic";
  return encode(view);
}
json::value Example<api::ChannelInfo>::make() {
  api::ChannelInfo view;
  put_one_page(view);
  view.url = kList;
  view.channel_id = "1";
  view.channel_name = "Somebody";
  view.video_count = view.total_videos = view.filtered_video_count = 1;
  view.videos = {entry()};
  view.filters_applied = {{"min_duration", 60}};
  view.channel = {.id = "1",
                  .name = "Somebody",
                  .url = kList,
                  .description = {},
                  .thumbnail = {},
                  .subscriber_count = {},
                  .video_count = 1};
  view.extractor = "generic";
  return encode(view);
}

}  // namespace trawl
